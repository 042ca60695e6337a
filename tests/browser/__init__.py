"""A package, so that its Airflow ends with its last test (scope `package`)."""
