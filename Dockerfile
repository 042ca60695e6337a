# The slim image: on the Python that the tests ran with, it gets exactly their packages, and has no others to disagree.
FROM apache/airflow:slim-3.3.2-python3.11
COPY requirements.lock /tmp/
# The lock is complete: pip looks for nothing else, and older versions of pip stumble over extras among hashes.
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.lock
# A new volume takes owner and mode from here, so no container has to be root to prepare it.
RUN install --directory --mode=2775 /opt/airflow/storage /opt/airflow/storage/inbox
# docker-compose.yml mounts these read-only from the working copy; elsewhere (Kubernetes) they come with the image.
COPY --chown=airflow:root config /opt/airflow/config
COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root include /opt/airflow/include
# The feeds that are in use. Those in include/feeds are examples.
COPY --chown=airflow:root deploy/feeds /opt/airflow/feeds
ENV PYTHONPATH=/opt/airflow:/opt/airflow/config CLIENT_IMPORTS_FEEDS=/opt/airflow/feeds
