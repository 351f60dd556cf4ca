"""Sign a chart, and pull it only because of that signature: `verify.py [CHART] [LAYOUT]`.

The key is made on the spot; one of cosign's is read with `SigningKey.load`, its public half with `PublicKey.load`.
"""

import sys

from oci_chart import Chart, Client, SigningKey, errors
from oci_chart.trust import Policy, TrustedKey


def main(chart: str = "examples/charts/greeter", to: str = "oci-layout:target/python-verify") -> None:
    with Client() as client:
        pushed = client.push(Chart.load(chart).package(), to, mode="ensure")

        # What was pushed is signed by its digest; the chart itself does not change.
        key = SigningKey.generate()
        signed = client.sign(pushed.reference, key)
        print(f"signed: {signed.subject.digest}")

        # Nothing but signatures is fetched before the policy is satisfied.
        trusted = TrustedKey(key.public_key, name="the release key")
        policy = Policy.keys(trusted, tlog="ignore-explicitly")
        pulled = client.pull(pushed.location, version=pushed.tag, verify=policy)
        print(f"pulled: {pulled.package.file_name}")
        print(client.verify(pushed.reference, policy).evidence.to_json())

        # Another key: the error says what was looked at, and why it does not count.
        stranger = Policy.keys(SigningKey.generate().public_key, tlog="ignore-explicitly")
        try:
            client.pull(pushed.location, version=pushed.tag, verify=stranger)
        except errors.SignatureInvalidError as error:
            for candidate in error.evidence.candidates if error.evidence else ():
                print(f"refused: {candidate.message}")


if __name__ == "__main__":
    main(*sys.argv[1:])
