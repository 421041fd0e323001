"""Changes to tables in which people write meanwhile: nothing is read through or built while a table is locked.

A check arrives by Django's `AddConstraintNotValid` and is validated by the next migration, in a transaction of its own.
What is built here cannot be in a transaction (`atomic = False`), so that a run may be cut off in the middle: the next
one begins by taking away what the last one left behind.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint
from django.db.migrations.state import ProjectState
from django.db.models import UniqueConstraint


class BuildIndex(AddIndexConcurrently):
    """Add an index."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class BuildUnique(NotInTransactionMixin, AddConstraint):
    """Add a unique constraint over columns, on an index that was built before."""

    def __init__(self, model_name: str, constraint: UniqueConstraint) -> None:
        super().__init__(model_name, constraint)
        self.fields, self.name = constraint.fields, constraint.name

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        quote = schema_editor.quote_name
        table, name = quote(model._meta.db_table), quote(self.name)
        columns = ", ".join(quote(model._meta.get_field(field).column) for field in self.fields)
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})")
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")
