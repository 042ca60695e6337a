"""The context: one file per task of the DAG, same name."""
