"""docker-compose.yml cannot be started in tests; everything about it that can be known by reading is checked."""

from __future__ import annotations

import re

import pytest
import yaml

from include.settings import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
# The compose specification's keys that we use; a typo is none of them.
KEYS = {"build", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "ports", "restart",
        "user", "volumes"}  # fmt: skip
OURS = {"CLIENT_IMPORTS_STORAGE", "PYTHONPATH", "DUMB_INIT_SETSID", "ADMIN_PASSWORD"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_known_keys_only_and_depends_on_services_there_are(name):
    service = SERVICES[name]
    assert set(service) <= KEYS
    assert ("image" in service) != ("build" in service)
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    assert service["restart"] == ("no" if name == "airflow-init" else "always")
    if name not in ("mail", "airflow-init"):
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_path_exists_and_ours_are_read_only(name):
    for volume in SERVICES[name].get("volumes", ()):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (ROOT / source).exists() and rest.endswith(":ro"), volume
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.usefixtures("airflow")  # who loads Airflow first decides where it looks for DAGs
def test_every_environment_name_is_an_option_that_airflow_has():
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()
    known = {section: set(about["options"]) for section, about in conf.configuration_description.items()}
    environment = {name for s in SERVICES.values() if "build" in s for name in s["environment"]}
    for name in environment - OURS:
        if match := re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name):
            section, option = (part.lower() for part in match.groups())
            assert option in known.get(section, ()), name
        else:
            assert name.startswith("AIRFLOW_CONN_"), name


def test_no_password_has_a_default_and_every_variable_is_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    for name, default in re.findall(r"(?<!\$)\$\{([A-Z_]+)(:[?-])?", text):
        assert name in example, name
        if re.search("PASSWORD|SECRET|KEY", name):
            assert default == ":?", f"{name} must not have a default"


def test_the_image_is_the_airflow_we_pin():
    assert "FROM apache/airflow:3.3.2" in (ROOT / "Dockerfile").read_text()
    assert "apache-airflow==3.3.2" in (ROOT / "requirements.txt").read_text()
