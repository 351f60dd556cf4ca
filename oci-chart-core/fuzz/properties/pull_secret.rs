//! Whatever is read as a pull secret can be searched under every rule, and what we write of it is read the same.

use oci_chart_core::{
    kube::{KeyRule, PullSecret},
    name::{Host, RepositoryName},
};

pub(crate) fn check(bytes: &[u8]) {
    let (Ok(host), Ok(repository)) = (Host::parse("ghcr.io"), RepositoryName::parse("org/charts/web")) else {
        return;
    };
    let forms =
        [("kubernetes.io/dockerconfigjson", ".dockerconfigjson"), ("kubernetes.io/dockercfg", ".dockercfg")];
    for (kind, key) in forms {
        let Ok(secret) = PullSecret::from_data(kind, [(key, bytes)]) else { continue };
        for rule in [KeyRule::Docker, KeyRule::Podman, KeyRule::Kubelet] {
            let _ = secret.username(&host, Some(&repository), rule);
        }
        let written = secret.to_docker_config();
        let back = PullSecret::from_data(forms[0].0, [(forms[0].1, written.as_bytes())]);
        let again = back.map(|back| back.to_docker_config());
        assert_eq!(again.as_deref(), Ok(&*written));
    }
    let _ = PullSecret::from_manifest(bytes);
}
