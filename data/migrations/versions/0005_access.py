"""Identity providers, keys and frames; sessions that end when idle; a log that only grows."""

import sqlalchemy as sa
from alembic import op

from data.migrations.row_security import confine
from data.models import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW = ("federated_identity", "login_attempt", "api_key", "embed_code")
SESSION_COLUMNS = (
    *("idle_until", "idle_seconds", "customer_id", "role", "pages", "origin", "visitor"),
    "api_key_id",
)
KEPT = "7 days"  # no policy of retention is shorter


def upgrade() -> None:
    op.add_column("customer", sa.Column("embed_origins", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("person", sa.Column("last_sign_in_at", Instant(), nullable=True))
    _create_tables()
    _replace_sessions()
    with op.batch_alter_table("audit_entry") as table:
        for name in ("actor", "address"):
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        table.create_index("audit_entry_by_customer", ["customer_id", "at"])
    if op.get_bind().dialect.name == "postgresql":
        for name in NEW:
            confine(name)
        op.execute("DROP POLICY tenant ON audit_entry")
        confine("audit_entry", "customer_id")
        _append_only_postgresql()
    else:
        _append_only_sqlite()


def _create_tables() -> None:
    op.create_table(
        "federated_identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_table(
        "login_attempt",
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("secret_hash"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("customers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        *(
            sa.Column(name, Instant(), nullable=True)
            for name in ("expires_at", "revoked_at", "last_used_at")
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_api_key_name", "api_key", ["name"])
    live = sa.text("expires_at IS NULL AND revoked_at IS NULL")
    op.create_index(
        "one_live_key",
        "api_key",
        ["name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "embed_code",
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("api_key_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("pages", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("visitor", sa.String(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("secret_hash"),
    )


def _replace_sessions() -> None:
    """Sessions of before say nothing of idleness: everybody signs in once more."""
    op.execute("DELETE FROM login_session")
    with op.batch_alter_table("login_session") as table:
        table.alter_column("membership_id", existing_type=sa.Integer(), nullable=True)
        table.add_column(sa.Column("idle_until", Instant(), nullable=False))
        table.add_column(sa.Column("idle_seconds", sa.Integer(), nullable=False))
        table.add_column(sa.Column("customer_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("role", sa.String(), nullable=True))
        table.add_column(sa.Column("pages", sa.JSON(none_as_null=True), nullable=True))
        table.add_column(sa.Column("origin", sa.String(), nullable=True))
        table.add_column(sa.Column("visitor", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("api_key_id", sa.Integer(), nullable=True))
        table.create_foreign_key("login_session_customer", "customer", ["customer_id"], ["id"])
        table.create_foreign_key("login_session_api_key", "api_key", ["api_key_id"], ["id"])


def _append_only_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER audit_entry_unchanged BEFORE UPDATE ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_kept BEFORE DELETE ON audit_entry "
        f"WHEN OLD.at > datetime('now', '-{KEPT}') "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )


def _append_only_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION audit_entry_append_only() RETURNS trigger "
        "LANGUAGE plpgsql AS $$ "
        f"BEGIN IF TG_OP = 'DELETE' AND OLD.at < now() - interval '{KEPT}' "
        "THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_entry_append_only ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_append_only")
        op.execute("DROP POLICY tenant ON audit_entry")
        confine("audit_entry")
    else:
        op.execute("DROP TRIGGER audit_entry_unchanged")
        op.execute("DROP TRIGGER audit_entry_kept")
    with op.batch_alter_table("audit_entry") as table:
        table.drop_index("audit_entry_by_customer")
        table.drop_column("actor")
        table.drop_column("address")
    op.execute("DELETE FROM login_session")
    with op.batch_alter_table("login_session") as table:
        for key in ("login_session_customer", "login_session_api_key"):
            table.drop_constraint(key, type_="foreignkey")
        for name in SESSION_COLUMNS:
            table.drop_column(name)
        table.alter_column("membership_id", existing_type=sa.Integer(), nullable=False)
    for name in reversed(NEW):
        op.drop_table(name)
    # Not in batches: SQLite would make these two anew, and other rows point to theirs.
    op.drop_column("person", "last_sign_in_at")
    op.drop_column("customer", "embed_origins")
