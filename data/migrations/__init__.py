"""The schema's history (Alembic): bring a database up to date, or ask whether it is.

Run by the owner of the tables (`DATABASE_ADMIN_URL`, or `DATABASE_URL` alone).  Where the app has
a role of its own, that role is given reading and writing, and row-level security confines it.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from data.models import Table
from data.scope import engine, translated
from data.settings import Settings


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def head() -> str | None:
    return ScriptDirectory.from_config(_config("")).get_current_head()


def current(url: str) -> str | None:
    """The revision a database is at; None where it has no tables yet."""
    with translated(), engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(settings: Settings) -> None:
    """Bring the database up to date; idempotent."""
    with translated():
        command.upgrade(_config(settings.admin_url), "head")
    app, owner = make_url(settings.database_url), make_url(settings.admin_url)
    if app.get_backend_name() == "postgresql" and app.username != owner.username:
        _grant(settings.admin_url, app.username or "")


def recreate(settings: Settings) -> None:
    """Drop every table and make it anew: rows of the audit log cannot be deleted singly."""
    with translated(), engine(settings.admin_url).begin() as connection:
        Table.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    migrate(settings)


def _grant(admin_url: str, role: str) -> None:
    with engine(admin_url).begin() as connection:
        quoted = connection.dialect.identifier_preparer.quote(role)
        for what in (
            "USAGE ON SCHEMA public",
            "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public",
            "USAGE ON ALL SEQUENCES IN SCHEMA public",
        ):
            connection.exec_driver_sql(f"GRANT {what} TO {quoted}")
        connection.exec_driver_sql(f"REVOKE UPDATE ON audit_entry FROM {quoted}")
