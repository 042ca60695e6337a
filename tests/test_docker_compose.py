"""docker-compose.yml without Docker: whatever can be known by reading. tests/faults/test_workers.py runs its commands.

`data/compose_spec` is the Compose Specification's own schema (Apache 2.0), as the package check-jsonschema 0.39.0 has it.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess

import jsonschema
import psutil
import pytest
import redis
import sqlalchemy as sa
from cryptography.fernet import Fernet
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from demo.environment import free_port
from include.schemas.feed_folder import read_feeds
from include.settings import ROOT
from tests.compose_file import filled_in, variables

SCHEMA = json.loads((ROOT / "tests" / "data" / "compose_spec" / "compose-spec.json").read_text())
EXAMPLE = (ROOT / ".env.example").read_text()
REQUIRED = {name: "x" for name, rest in variables().items() if rest.startswith(":?")}
COMPOSE = filled_in(REQUIRED)
SERVICES = COMPOSE["services"]
TLS = filled_in({"SERVER_NAME": "x", "TLS_FOLDER": "x"}, (ROOT / "deploy" / "tls.yml").read_text())
AIRFLOW = [name for name, service in SERVICES.items() if "build" in service]
OURS = {
    "CLIENT_IMPORTS_STORAGE", "CLIENT_IMPORTS_FEEDS", "CLIENT_IMPORTS_GROUP_ACCESS", "PYTHONPATH", "DUMB_INIT_SETSID",
    "ADMIN_PASSWORD", "CLIENTS_OWNER_DB",
}  # fmt: skip


def settings(text: str) -> dict[str, str]:
    """Name to value of an .env file, without quotes."""
    return {name: value.strip("'") for name, value in re.findall(r"(?m)^(\w+)=(.*)$", text)}


def test_it_is_valid_by_the_compose_specification_and_a_typo_is_not():
    jsonschema.validate(COMPOSE, SCHEMA)
    for change in ({"helthcheck": {"test": ["CMD", "true"]}}, {"stop_grace_period": 10}, {"restart": True}):
        wrong = copy.deepcopy(COMPOSE)
        wrong["services"]["redis"].update(change)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_again_and_waits_for_what_says_that_it_is_healthy(name):
    service = SERVICES[name]
    assert service["logging"]["options"]["max-size"] and service["mem_limit"]
    assert service["restart"] == ("no" if name == "airflow-init" else "unless-stopped")
    if name != "airflow-init":
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL") and service["healthcheck"]["timeout"]
    for other, about in service.get("depends_on", {}).items():
        expected = "service_completed_successfully" if other == "airflow-init" else "service_healthy"
        assert about["condition"] == expected, (other, about)


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_and_nothing_of_ours_is_root(name):
    service = SERVICES[name]
    if name in AIRFLOW:
        assert service["user"] == "50000:0" and service["security_opt"] == ["no-new-privileges:true"]
    else:
        assert re.fullmatch(r"[\w/]+:v?\d+\.\d+[\w.-]*", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_path_exists_and_ours_are_read_only(name):
    for volume in SERVICES[name].get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert (ROOT / source).exists() and mode == ["ro"], volume
        else:
            assert source in COMPOSE["volumes"] and not mode
        assert target.startswith("/")


def test_every_airflow_container_has_the_same_folders_and_settings():
    """One without plugins, feeds, storage or a secret works until the first file."""
    for name in AIRFLOW:
        service = SERVICES[name]
        assert service["volumes"] == SERVICES["airflow-worker"]["volumes"]
        own = {"airflow-worker": {"DUMB_INIT_SETSID"}, "airflow-init": {"ADMIN_PASSWORD", "CLIENTS_OWNER_DB"}}.get(
            name, set()
        )
        assert set(service["environment"]) - own == set(SERVICES["airflow-scheduler"]["environment"])
    targets = {volume.split(":")[1] for volume in SERVICES["airflow-worker"]["volumes"]}
    environment = SERVICES["airflow-worker"]["environment"]
    assert {environment["CLIENT_IMPORTS_STORAGE"], environment["CLIENT_IMPORTS_FEEDS"]} <= targets
    assert set(environment["PYTHONPATH"].split(":")) == {"/opt/airflow", "/opt/airflow/config"}


def test_a_worker_that_is_told_to_stop_has_time_for_its_task():
    worker = SERVICES["airflow-worker"]
    assert worker["stop_grace_period"] == "10m" and worker["environment"]["DUMB_INIT_SETSID"] == "0"


@pytest.mark.usefixtures("airflow")  # who loads Airflow first decides where it looks for DAGs
def test_every_environment_name_is_an_option_that_airflow_has():
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()
    known = {section: about["options"] for section, about in conf.configuration_description.items()}
    for name, value in {pair for each in AIRFLOW for pair in SERVICES[each]["environment"].items()}:
        if match := re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name):
            section, option = (part.lower() for part in match.groups())
            assert option in known.get(section, ()), name
            assert fits(value, known[section][option].get("type")), (name, value)
        else:
            assert name in OURS or name.startswith("AIRFLOW_CONN_"), name


def fits(value: object, kind: str | None) -> bool:
    patterns = {"boolean": "true|false", "integer": r"\d+", "float": r"\d+(\.\d+)?"}
    return re.fullmatch(patterns.get(kind or "", ".*"), str(value)) is not None


@pytest.mark.usefixtures("airflow")
@pytest.mark.parametrize("name", [name for name in AIRFLOW if name != "airflow-init"])
def test_every_command_is_one_that_airflow_knows(name):
    from airflow.cli import cli_parser

    assert cli_parser.get_parser().parse_args(SERVICES[name]["command"].split()).func


def test_every_variable_stands_in_the_example_and_every_setting_there_is_used():
    example = settings(EXAMPLE)
    assert set(variables()) == set(example)
    for name, rest in variables().items():
        if rest.startswith(":-"):
            assert rest == f":-{example[name]}", f"{name} has another default than the example"


def test_no_secret_has_a_default_and_the_example_as_it_is_starts_nothing():
    for name, rest in variables().items():
        if re.search("PASSWORD|SECRET|KEY", name):
            assert rest.startswith(":?") and settings(EXAMPLE)[name] == "", name
    with pytest.raises(KeyError):
        filled_in(settings(EXAMPLE))


def test_make_env_gives_every_secret_its_own_value_that_fits_into_a_url_and_keeps_a_file_that_is_there(tmp_path):
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["make", "--silent", ".env"], cwd=tmp_path, check=True)
    text = (tmp_path / ".env").read_text()
    made = settings(text)
    secrets = [value for name, value in made.items() if settings(EXAMPLE)[name] == ""]
    assert len(set(secrets)) == len(secrets) == 8 and min(map(len, secrets)) > 40
    assert {name: made[name] for name, value in settings(EXAMPLE).items() if value} == {
        name: value for name, value in settings(EXAMPLE).items() if value
    }
    environment = filled_in(made)["services"]["airflow-worker"]["environment"]
    Fernet(environment["AIRFLOW__CORE__FERNET_KEY"])
    assert sa.make_url(environment["AIRFLOW_CONN_CLIENTS_DB"]).password == made["CLIENTS_PASSWORD"]
    assert sa.make_url(environment["AIRFLOW__CELERY__BROKER_URL"]).password == made["REDIS_PASSWORD"]
    assert json.loads(environment["AIRFLOW_CONN_SMTP_DEFAULT"])["host"] == "mail"
    subprocess.run(["make", "--silent", ".env"], cwd=tmp_path, check=True)
    assert (tmp_path / ".env").read_text() == text and (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_no_password_is_an_argument_of_a_command():
    secret = "a-secret-that-is-nowhere-else"
    for name, service in filled_in(dict.fromkeys(REQUIRED, secret))["services"].items():
        words = json.dumps([service.get("command"), service.get("healthcheck")])
        assert secret not in words and "--password" not in words, name
    assert "-v password" not in (ROOT / "config" / "create_clients_db.sh").read_text()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="Redis is not installed here")
def test_redis_starts_with_its_password_as_the_container_starts_it(tmp_path):
    sh, option, script = filled_in(REQUIRED)["services"]["redis"]["command"]
    port, file = free_port(), tmp_path / "redis.conf"
    script = script.replace("/tmp/redis.conf", str(file)) + f" --port {port} --dir {tmp_path}"
    environment = os.environ | {"REDISCLI_AUTH": "hush"}
    server = subprocess.Popen([sh, option, script], env=environment, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port, password="hush", retry=Retry(ConstantBackoff(0.1), 50))
        assert client.ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        assert "hush" not in " ".join(psutil.Process(server.pid).cmdline())
    finally:
        server.terminate()
        server.wait()


def test_all_airflow_containers_run_one_image_that_has_a_name():
    assert {SERVICES[name]["image"] for name in AIRFLOW} == {"client-imports:local"}


def test_no_example_is_a_feed_of_the_containers_or_of_the_image_and_nobody_is_mailed_by_default():
    folder = COMPOSE["services"]["airflow-worker"]["volumes"]
    assert "./deploy/feeds:/opt/airflow/feeds:ro" in folder
    assert "COPY --chown=airflow:root deploy/feeds /opt/airflow/feeds\n" in (ROOT / "Dockerfile").read_text()
    (feed,) = read_feeds(ROOT / "deploy" / "feeds").values()
    assert feed and (feed.name, feed.schedule, feed.notify.to) == ("default", None, [])


def test_the_image_is_the_airflow_and_the_python_that_we_test():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "FROM apache/airflow:slim-3.3.2-python3.11\n" in dockerfile and "USER root" not in dockerfile
    assert "apache-airflow==3.3.2" in (ROOT / "requirements.txt").read_text()
    for source in re.findall(r"(?m)^COPY (?:--\S+ )?(.+) \S+$", dockerfile):
        assert all((ROOT / name).exists() for name in source.split())
        assert all(f"!{name}" in (ROOT / ".dockerignore").read_text().splitlines() for name in source.split())


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
def test_nginx_takes_its_configuration_as_the_container_fills_it_in(tmp_path):
    nginx = TLS["services"]["nginx"]
    conf = (ROOT / "deploy" / "nginx.conf").read_text()
    for name in re.findall(nginx["environment"]["NGINX_ENVSUBST_FILTER"], "SERVER_NAME\nAIRFLOW", re.MULTILINE):
        conf = conf.replace(f"${{{name}}}", {"SERVER_NAME": "localhost", "AIRFLOW": "127.0.0.1:1"}[name])
    certificate = ["-keyout", "privkey.pem", "-out", "fullchain.pem", "-subj", "/CN=localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", *certificate],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    conf = conf.replace("/etc/nginx/tls", str(tmp_path))
    for port in ("80", "443"):
        conf = re.sub(rf"(listen +){port}\b", rf"\g<1>127.0.0.1:{free_port()}", conf)
    own = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ {own} {conf} }}")
    done = subprocess.run(
        ["nginx", "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nginx_with_tls_is_valid_by_the_compose_specification_and_hands_on_what_airflow_believes():
    jsonschema.validate(TLS, SCHEMA)
    assert (
        TLS["services"]["airflow-apiserver"]["command"] == SERVICES["airflow-apiserver"]["command"] + " --proxy-headers"
    )
    for volume in TLS["services"]["nginx"]["volumes"]:
        assert volume.endswith(":ro") and (volume.startswith("x:") or (ROOT / volume.split(":")[0]).exists())
