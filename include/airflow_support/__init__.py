"""Everything that DAGs and plugins need from Airflow. No other package in `include/` imports Airflow.

A DAG file imports these modules whenever Airflow reads it, so what is heavy is imported inside the functions.
"""
