"""Alembic's migrations of `clients_db`. `python -m include.migrations` brings the database up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def config_for(engine: sa.Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    command.upgrade(config_for(engine), revision)


def downgrade(engine: sa.Engine, revision: str) -> None:
    command.downgrade(config_for(engine), revision)
