"""The parity scenarios, as the other languages run them (oci-chart-core/testkit/scenarios/README.md)."""

import json
import pathlib
import tempfile

import pytest
from conftest import ROOT

import oci_chart
from oci_chart import Attachment, Chart, Client, OciChartError, Policy, SigningKey

SCENARIOS = ROOT / "oci-chart-core/testkit/scenarios"
CASES = [
    (path.stem, store)
    for path in sorted(SCENARIOS.glob("*.json"))
    for store in json.loads(path.read_text()).get("stores", ["none"])
]


def test_there_are_scenarios() -> None:
    assert len(CASES) >= 22


@pytest.mark.parametrize(("name", "store"), CASES)
def test_scenario(name, store, tmp_path, serve):
    scenario = json.loads((SCENARIOS / f"{name}.json").read_text())
    world = World(scenario, store, tmp_path, serve)
    for number, step in enumerate(scenario["steps"], 1):
        at = f"step {number}: {step['do']}"
        try:
            found = getattr(world, step["do"].replace("-", "_"))(step)
        except OciChartError as error:
            assert "error" in step, f"{at}: {error!r}"
            world.compare(at, {"kind": str(error.kind), "reason": error.reason}, step["error"])
            continue
        assert "error" not in step, f"{at}: {found}"
        world.compare(at, found, step.get("expect", {}))
        if "as" in step:
            world.results[step["as"]] = found


class World:
    def __init__(self, scenario, store, scratch, serve) -> None:
        self.scratch, self.results, self.kept = scratch, {}, {}
        options = {}
        if store == "layout":
            self.base = self.repository = f"oci-layout:{scratch / 'store'}"
        elif store == "registry":
            wanted = scenario.get("registry", {})
            arguments = [f"--{wanted['auth']}", f"{wanted['user']}:{wanted['password']}"] if wanted else []
            registry = serve(*arguments)
            self.base = f"oci://{registry.host}/charts"
            self.repository = self.base + "/web"
            options["plain_http"] = [registry.host]
            if login := scenario.get("login"):
                options["auth"] = {registry.host: (login["user"], login["password"])}
        self.client = Client(**options)

    def resolved(self, value):
        if isinstance(value, str) and value.startswith("$") and "." in value:
            name, member = value[1:].split(".", 1)
            return self.results[name][member]
        return value

    def compare(self, at, found, expected) -> None:
        for member, wanted in expected.items():
            assert found[member] == self.resolved(wanted), f"{at}: {member} of {found}"

    def at(self, step, key="selector"):
        """The reference and the version that a selector means."""
        wanted = self.resolved(step[key])
        if wanted.startswith("sha256:"):
            return f"{self.repository}@{wanted}", None
        return self.repository, wanted

    def load(self, step):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.scratch)) / step.get("directory", "web")
        for path, content in step["files"].items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        chart = Chart.load(directory)
        self.kept[step.get("as")] = chart
        return {
            "name": chart.name,
            "version": chart.version,
            "app_version": chart.app_version,
            "api_version": chart.api_version,
            "dependencies": chart.dependencies,
            "readme": chart.readme(),
        }

    def package(self, step):
        options = {key: step[key] for key in ("time", "version", "app_version") if key in step}
        package = self.kept[step["chart"][1:]].package(**options)
        self.kept[step.get("as")] = package
        return {"digest": package.digest, "size": package.size, "file": package.file_name}

    def push(self, step):
        package = self.kept[step["package"][1:]]
        pushed = self.client.push(
            package, self.base, mode=step.get("mode", "create"), created=step["created"]
        )
        return {"digest": pushed.digest, "tag": pushed.tag, "action": pushed.action}

    def pull(self, step):
        reference, version = self.at(step)
        return self.about(self.client.pull(reference, version=version, verify=False))

    @staticmethod
    def about(pulled):
        package = pulled.package
        return {
            "digest": pulled.digest,
            "package": package.digest,
            "name": package.name,
            "version": package.version,
        }

    def metadata(self, step):
        reference, version = self.at(step)
        return json.loads(self.client.metadata_json(reference, version=version))

    def show(self, step):
        reference, version = self.at(step)
        chart = self.client.show(reference, version=version)
        return {
            "name": chart.name,
            "values": chart.values(),
            "readme": chart.readme(),
            "crds": chart.crds(),
            "files": chart.files,
        }

    def key(self, step):
        key = self.kept[step["as"]] = SigningKey.generate()
        return {"algorithm": key.public_key.algorithm}

    def sign(self, step):
        signed = self.client.sign(
            self.at(step, "digest")[0],
            self.kept[step["key"][1:]],
            formats=[step["format"]],
            identity=step.get("identity"),
        )
        return {"digest": signed.subject.digest, "kept": list(signed.kept)}

    def verify(self, step):
        reference, version = self.at(step)
        policy = Policy.keys(self.kept[step["key"][1:]].public_key, tlog="ignore-explicitly")
        verified = self.kept[step.get("as")] = self.client.verify(reference, policy, version=version)
        return {"digest": verified.digest, "outcome": verified.evidence.outcome}

    def verify_subchart(self, step):
        key = self.kept[step["key"][1:]].public_key.pem
        secret = {"kind": "Secret", "metadata": {"name": "mine"}, "stringData": {"mine.pub": key}}
        name = {"secretRef": {"name": "mine"}}
        if step.get("policy") == "cluster-image-policy":
            image_policy = {"kind": "ClusterImagePolicy", "spec": {"authorities": [{"key": name, "signatureFormat": "bundle"}]}}
            policy = Policy.from_cluster_image_policy(json.dumps(image_policy), json.dumps(secret).encode())
        else:
            policy = Policy.from_flux(json.dumps({"spec": {"verify": name}}), json.dumps(secret).encode())
        verified = self.client.verify_subchart(self.kept[step["chart"][1:]], self.repository, policy)
        return {"digest": verified.digest, "outcome": verified.evidence.outcome}

    def pull_verified(self, step):
        pulled = self.client.pull_verified(self.kept[step["verified"][1:]])
        return self.about(pulled) | {"outcome": pulled.evidence.outcome}

    def attach(self, step):
        attachment = Attachment(step["type"], step["text"].encode())
        return {"digest": self.client.attach(self.at(step, "digest")[0], attachment).digest}

    def tree(self, step):
        reference, version = self.at(step)
        tree = self.client.tree(reference, version=version)
        return {"kinds": [attached.kind for attached in tree.attached]}

    def login(self, step):
        done = self.client.login(
            self.base, step["user"], step["password"], place=self.scratch / "logins.json"
        )
        return {"verified": done.verified}

    def logout(self, _):
        return {"removed": len(self.client.logout(self.base, place=self.scratch / "logins.json").removed)}

    def diagnose(self, _):
        found = self.client.diagnose(self.repository)
        return {"ok": found.ok} | {finding.check: finding.status for finding in found.findings}

    def resolve(self, step):
        reference, version = self.at(step)
        return {"digest": self.client.resolve(reference, version=version).digest}

    def tags(self, _):
        return {"tags": list(self.client.tags(self.repository))}

    def tag(self, step):
        self.client.tag(self.at(step, "digest")[0], step["tag"], mode=step["mode"])
        return {}

    def exists(self, step):
        return {"exists": self.client.exists(self.at(step, "digest")[0])}

    def delete(self, step):
        reference, version = self.at(step)
        self.client.delete(reference, version=version)
        return {}

    def reference(self, step):
        found = oci_chart.Reference(step["text"])
        return {"host": found.host, "repository": found.repository, "selector": found.selector}

    def matches(self, step):
        return {"matches": oci_chart.matches(step["constraint"], step["version"])}
