"""The corridor: one file per task of the DAG, same name."""
