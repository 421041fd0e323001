"""What the role may do as which the product works from day to day: rows, and of what is written once only new ones.

The tables belong to another role, that of OWNER_DATABASE_URL, as which nothing but `prepare` works. Who gets a statement
of his own into an everyday connection then meets no right to drop a trigger or a constraint, to change the access log,
or to reach the server's files.
"""

from typing import Any, Final

from django.core.management.base import CommandError
from django.db import connections, transaction
from psycopg import sql

OWNER: Final = "owner"
ROWS: Final = "SELECT, INSERT, UPDATE, DELETE"
KEPT: Final = {
    "audit_accessrecord": "UPDATE, DELETE",
    "audit_auditseal": "UPDATE, DELETE",
    "scheduling_appointmentevent": "DELETE",
    "django_migrations": "INSERT, UPDATE, DELETE",
}
"""What is taken from that again, by table; what happened to an appointment is marked once its reactions are written."""


def admit(role: str, password: str, *, using: str = OWNER) -> None:
    """Let a role work with all tables there are; make it if it is not there, and give it this password.

    Where another made the role its password is left alone. Raises CommandError if the owner may not make roles.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:

        def run(statement: str, *names: str, **parts: Any) -> None:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names), **parts))

        cursor.execute("SELECT rolcreaterole OR rolsuper, current_user FROM pg_roles WHERE rolname = current_user")
        may_make_roles, owner = cursor.fetchone()
        if owner == role:
            raise CommandError(f"DATABASE_URL and OWNER_DATABASE_URL both name the role {role}: give each its own.")
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            if not may_make_roles:
                raise CommandError(
                    f"The role {role} is not there and {owner} may not make it: CREATE ROLE {role} LOGIN."
                )
            run("CREATE ROLE {} LOGIN", role)
        cursor.execute("SELECT pg_has_role(%s, 'USAGE WITH ADMIN OPTION')", [role])
        if password and cursor.fetchone()[0]:
            lines = connections[using].connection.pgconn
            secret = lines.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            run("ALTER ROLE {} PASSWORD {secret}", role, secret=sql.Literal(secret))
        run("GRANT USAGE ON SCHEMA public TO {}", role)
        run("GRANT " + ROWS + " ON ALL TABLES IN SCHEMA public TO {}", role)
        run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}", role)
        for table, rights in KEPT.items():
            run("REVOKE " + rights + " ON {} FROM {}", table, role)
