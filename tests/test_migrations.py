"""Migrations run while people work on tables that are full: none locks them for as long as it reads or builds."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Index, Q, UniqueConstraint

from apps.common.postgres.operations import BuildIndex, BuildUnique

HARMLESS = {"blank", "choices", "db_index", "default", "editable", "help_text", "related_name", "unique"}
"""What may change about a column: its type and whether it may be null stay, so that it is neither read nor written."""
GONE = (migrations.RemoveField, migrations.RenameField, migrations.DeleteModel, migrations.RenameModel)
LOCKING = re.compile(r"(ADD CONSTRAINT(?![^;]*NOT VALID))|(CREATE (UNIQUE )?INDEX(?! CONCURRENTLY))|SET NOT NULL")


def faults(app: str, migration: migrations.Migration, state: ProjectState) -> Iterator[str]:
    """Say what in a migration people would wait for, or the old code could not work with."""
    new, unvalidated = set(), set()
    for operation in migration.operations:
        model = getattr(operation, "model_name", getattr(operation, "name", "")).lower()
        if isinstance(operation, migrations.CreateModel):
            new.add(model)
        elif isinstance(operation, AddConstraintNotValid):
            unvalidated.add(operation.constraint.name)
        if model not in new and (fault := _fault(app, operation, state, unvalidated if migration.atomic else set())):
            yield fault
        operation.state_forwards(app, state)


def _fault(app: str, operation: Operation, state: ProjectState, unvalidated: set[str]) -> str:
    match operation:
        case migrations.AddConstraint() if not isinstance(operation, AddConstraintNotValid | BuildUnique):
            return "AddConstraint reads the table while it is locked: AddConstraintNotValid, or BuildUnique"
        case ValidateConstraint() if operation.name in unvalidated:
            return "ValidateConstraint in the transaction that added it keeps the lock: in the next migration"
        case migrations.AddIndex() if not isinstance(operation, AddIndexConcurrently):
            return "AddIndex locks the table while it builds: BuildIndex"
        case migrations.RemoveIndex() if not isinstance(operation, RemoveIndexConcurrently):
            return "RemoveIndex waits for everybody and lets nobody past: RemoveIndexConcurrently"
        case migrations.AddField() if not operation.field.null and not operation.field.has_db_default():
            return "AddField without null or db_default: the old code does not fill it"
        case migrations.AddField() if operation.field.db_index or operation.field.unique:
            return "AddField with an index locks the table while it builds: BuildIndex after it"
        case migrations.AlterField():
            before = state.models[app, operation.model_name_lower].fields[operation.name]
            if _column(before) != _column(operation.field):
                return "AlterField of another type"
        case migrations.RunSQL() if LOCKING.search(str(operation.sql)):
            return "RunSQL that locks a table for long"
        case operation if isinstance(operation, GONE):
            return "The old code still asks for it: take it away in a later version, and say so here"
    return ""


def _column(field: models.Field) -> tuple:
    _name, path, args, kwargs = field.deconstruct()
    return path, args, {key: value for key, value in kwargs.items() if key not in HARMLESS}


def ours(loader: MigrationLoader) -> Iterator[tuple[str, migrations.Migration, ProjectState]]:
    """Return every migration of ours with the state that it meets."""
    state = ProjectState()
    for node in loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True):
        migration = loader.graph.nodes[node]
        if node in loader.disk_migrations and migration.__module__.startswith("apps."):
            yield node[0], migration, state.clone()
        state = migration.mutate_state(state, preserve=False)


def test_no_migration_locks_a_full_table_for_long():
    found, seen = [], 0
    for app, migration, state in ours(MigrationLoader(None)):
        seen += 1
        if not migration.initial:  # what it makes is empty
            found += [f"{app}.{migration.name}: {fault}" for fault in faults(app, migration, state)]
    assert seen > 20
    assert not found


def test_every_check_that_arrives_unvalidated_is_validated():
    added, validated = set(), set()
    for _app, migration, _state in ours(MigrationLoader(None)):
        for operation in migration.operations:
            if isinstance(operation, AddConstraintNotValid):
                added.add(operation.constraint.name)
            elif isinstance(operation, ValidateConstraint):
                validated.add(operation.name)
    assert added == validated


CHECK = models.CheckConstraint(name="c", condition=Q(id__gt=0))


@pytest.mark.parametrize(
    "operations",
    [
        [migrations.AddConstraint("appointment", CHECK)],
        [AddConstraintNotValid("appointment", CHECK), ValidateConstraint("appointment", "c")],
        [migrations.AddConstraint("appointment", UniqueConstraint(name="u", fields=["version"]))],
        [migrations.AddIndex("appointment", Index(name="i", fields=["version"]))],
        [migrations.RemoveIndex("occupancy", "occupancy_by_schedule_and_time")],
        [migrations.AddField("appointment", "more", models.IntegerField(default=0))],
        [migrations.AddField("appointment", "more", models.IntegerField(null=True, db_index=True))],
        [migrations.AlterField("appointment", "version", models.BigIntegerField())],
        [migrations.RemoveField("appointment", "version")],
        [migrations.RunSQL("ALTER TABLE scheduling_appointment ADD CONSTRAINT c CHECK (id > 0)")],
        [migrations.RunSQL("CREATE INDEX i ON scheduling_appointment (version)")],
    ],
    ids=lambda operations: operations[-1].__class__.__name__,
)
def test_what_locks_is_seen(operations):
    state = MigrationLoader(None).project_state()
    unsafe = migrations.Migration("0099_unsafe", "scheduling")
    unsafe.operations = operations
    assert list(faults("scheduling", unsafe, state))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "operation",
    [
        BuildIndex("appointment", Index(name="built_twice", fields=["version"])),
        BuildUnique("appointment", UniqueConstraint(name="built_twice", fields=["uid", "reference"])),
    ],
    ids=["index", "unique"],
)
def test_what_a_run_that_was_cut_off_left_behind_is_built_anew(operation):
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    operation.state_forwards("scheduling", after)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX built_twice ON scheduling_appointment (id)")
    try:
        for _turn in range(2):
            with connection.schema_editor(atomic=False) as editor:
                operation.database_forwards("scheduling", editor, before, after)
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'built_twice'")
            assert "(id)" not in cursor.fetchone()[0]
    finally:
        with connection.schema_editor(atomic=False) as editor:
            operation.database_backwards("scheduling", editor, after, before)
