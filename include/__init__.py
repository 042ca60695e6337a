"""Client imports: plain Python, no Airflow. The map of the rooms is in README.md."""
