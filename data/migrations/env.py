"""Alembic's entry: runs the revisions on the URL it is given."""

from alembic import context

from data.models import Table
from data.scope import engine

url = context.config.attributes["url"]
with engine(url).execution_options(writes=True).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # Row-level security binds the tables' owner, too: a revision is for every customer.
            connection.exec_driver_sql("SET LOCAL app.customer_id = 'every'")
        context.run_migrations()
