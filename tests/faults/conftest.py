"""The real Airflow of tests/dags."""

from tests.dags.conftest import airflow, feeds_folder, impatient, installation, ledger

__all__ = ["airflow", "feeds_folder", "impatient", "installation", "ledger"]
