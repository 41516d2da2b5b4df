"""Checks the files of deploy/ that no container engine is here to run: Kubernetes' by its schemas, Compose's by those of
the Compose specification, and both by what the program and its image are. Says what is wrong, and answers 1."""

import json
import re
import sys
from pathlib import Path

import compose_spec
import kubernetes_validate
import yaml

ROOT = Path(sys.argv[1])
KUBERNETES = "1.37"
# As the image: its user, and the program's time to end what is under way.
USER, GRACE = 65532, 20
# Of PostgreSQL where nobody set it, less those it keeps for superusers.
MOST_CONNECTIONS = 97
SECRET = re.compile(r"(_TOKEN|_KEYS?|_PASSWORD|DATABASE_URL)$")
# Of the image's or of libraries, not of the program.
OTHERS = {"SQLITE_TMPDIR"}

problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def known_variables():
    help_text = (ROOT / "src/native/cli/mod.rs").read_text()
    return set(re.findall(r"^  ([A-Z_]{5,}) ", help_text, re.MULTILINE)) | OTHERS


def check_variables(where, variables, known):
    for name, value in variables.items():
        check(name in known, f"{where}: the program knows no {name}")
        check(not SECRET.search(name) or "${" in str(value), f"{where}: {name} is a secret")


def check_container(where, pod, container):
    security = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
    check(security.get("runAsNonRoot") is True and security.get("runAsUser") == USER, f"{where}: not the image's user")
    check(security.get("readOnlyRootFilesystem") is True, f"{where}: may write to its root")
    check(security.get("allowPrivilegeEscalation") is False, f"{where}: may gain privileges")
    check(security.get("capabilities") == {"drop": ["ALL"]}, f"{where}: has capabilities")
    check(security.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{where}: has no seccomp profile")
    check(pod.get("automountServiceAccountToken") is False, f"{where}: has a token of the cluster's")
    check("env" not in container, f"{where}: variables are in settings.yaml and in the Secret")
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    wanted = {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health"}
    check(paths == wanted, f"{where}: probes are {paths}")
    for name in paths:
        headers = container[f"{name}Probe"]["httpGet"].get("httpHeaders")
        check(headers == [{"name": "X-Forwarded-Proto", "value": "https"}], f"{where}: the {name} probe is refused")


def check_kubernetes(folder, known):
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    listed = kustomization["resources"]
    there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "cloudnative-pg.yaml"}
    check(sorted(listed) == sorted(there), f"{folder.name}: kustomization.yaml lists {listed}, there are {sorted(there)}")
    found = {}
    for name in sorted(there):
        for document in yaml.safe_load_all((folder / name).read_text()):
            try:
                kubernetes_validate.validate(document, KUBERNETES, strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"{folder.name}/{name}: {'.'.join(map(str, error.path))}: {error.message}")
            found[document["kind"]] = document
    settings = found["ConfigMap"]["data"]
    check_variables(folder.name, settings, known)
    workload = found.get("Deployment") or found["StatefulSet"]
    pod = workload["spec"]["template"]["spec"]
    check([container["image"] for container in pod["containers"]] == [kustomization["images"][0]["name"]], f"{folder.name}: image")
    check_container(folder.name, pod, pod["containers"][0])
    drain = int(settings.get("DRAIN_SECONDS", 0))
    check(pod["terminationGracePeriodSeconds"] >= drain + GRACE + 5, f"{folder.name}: is killed while it ends")
    if scaler := found.get("HorizontalPodAutoscaler"):
        # One more while an upgrade goes on.
        connections = (scaler["spec"]["maxReplicas"] + 1) * int(settings["DATABASE_CONNECTIONS"])
        check(connections <= MOST_CONNECTIONS, f"{folder.name}: {connections} connections to PostgreSQL")


def check_compose(path, known):
    text = path.read_text()
    # The parser takes no variables. What each is in is left, and stands for it.
    values = {"CANDADO_IMAGE": "registry.example.com/candado:0.1.0"}
    filled = re.sub(r"\$\{(\w+)(?::[?-][^}]*)?\}", lambda found: values.get(found[1], "example"), text)
    document = yaml.safe_load(filled)
    try:
        compose_spec.PyCompose.from_json(json.dumps(document)).validate()
    except ValueError as error:
        problems.append(f"{path.name}: {error}")
    for name, service in yaml.safe_load(text)["services"].items():
        check("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges")
        if not name.startswith("candado"):
            continue
        check_variables(name, service["environment"], known)
        check(service.get("read_only") is True and service.get("cap_drop") == ["ALL"], f"{name}: is not locked down")
        check("ports" not in service, f"{name}: can be reached past the proxy")
        drain = int(service["environment"]["DRAIN_SECONDS"])
        check(int(service["stop_grace_period"].rstrip("s")) >= drain + GRACE + 5, f"{name}: is killed while it ends")


variables = known_variables()
check(len(variables) > 20, "the program's variables are not found")
for place in sorted((ROOT / "deploy/kubernetes").iterdir()):
    check_kubernetes(place, variables)
check_compose(ROOT / "deploy/compose/compose.yaml", variables)
for problem in problems:
    print(problem)
print(f"{len(problems)} problems" if problems else "Kubernetes' and Compose's files are as they should be.")
sys.exit(bool(problems))
