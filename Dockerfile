# The stock image and our pins; folders are mounted read-only by docker-compose.yml.
FROM apache/airflow:3.3.2-python3.12
COPY requirements.txt requirements.lock /tmp/
# boto3 for a storage on S3, asyncssh for inboxes on SFTP servers
ARG OPTIONAL=""
RUN pip install --no-cache-dir --requirement /tmp/requirements.txt ${OPTIONAL} --constraint /tmp/requirements.lock
COPY --chown=airflow:root config /opt/airflow/config
COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root include /opt/airflow/include
ENV PYTHONPATH=/opt/airflow:/opt/airflow/config
