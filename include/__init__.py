"""Client imports in plain Python, without Airflow. docs/architecture.md describes the folders."""
