"""The second wall, on PostgreSQL: a policy on each table says whose rows a transaction sees."""

from alembic import op

WHOSE = "current_setting('app.customer_id', true)"


def confine(table: str, key: str | None = None) -> None:
    """Show a customer the rows whose `key` names it; without a key, show it none."""
    rule = f"{WHOSE} = 'every'" + (f" OR {key}::text = {WHOSE}" if key else "")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({rule}) WITH CHECK ({rule})")
