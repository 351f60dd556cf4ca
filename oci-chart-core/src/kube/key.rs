use crate::name::{Host, RepositoryName};

/// How keys of stored logins are held against a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyRule {
    /// Docker's, which Helm and Flux's HelmRepository share: a key means its host, whatever path follows. Here a path that fits the
    /// repository goes first all the same.
    Docker,
    /// Podman's: a key with a path means the repositories below it and no others.
    Podman,
    /// The kubelet's, which Flux's OCIRepository shares: stars within the parts of the host, equal ports, the path as a plain prefix.
    Kubelet,
}

/// The names that mean Docker Hub.
const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// Of `keys`, the one that fits best by the rules of docker or podman: the longest path, then the key as it is usually written.
pub(crate) fn best_key<'a>(
    keys: impl Iterator<Item = &'a str>,
    host: &Host,
    repository: Option<&RepositoryName>,
    rule: KeyRule,
) -> Option<&'a str> {
    let repository = repository.map(RepositoryName::as_str);
    keys.filter_map(|key| Some((fit(key, host, repository, rule)?, key)))
        // Of equals the first by letters, so that the answer does not hang on the order.
        .max_by(|(a, first), (b, second)| a.cmp(b).then_with(|| second.cmp(first)))
        .map(|(_, key)| key)
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The host is right; the path is another's.
    HostAlone,
    /// The whole host, written in an older way.
    Legacy,
    /// The whole host, as it is.
    Host,
    /// A path of this length that the repository is in.
    Path(usize),
}

fn fit(key: &str, host: &Host, repository: Option<&str>, rule: KeyRule) -> Option<Fit> {
    let bare = key.split_once("://").map_or(key, |(_, rest)| rest);
    let (name, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_matches('/');
    if !is_host(name, host) {
        return None;
    }
    if matches!(path, "" | "v1" | "v2") {
        return Some(if key.eq_ignore_ascii_case(host.as_str()) { Fit::Host } else { Fit::Legacy });
    }
    let inside = repository.is_some_and(|repository| {
        repository.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    match rule {
        _ if inside => Some(Fit::Path(path.len())),
        KeyRule::Docker => Some(Fit::HostAlone),
        KeyRule::Podman | KeyRule::Kubelet => None,
    }
}

fn is_host(name: &str, host: &Host) -> bool {
    let is_hub = |name: &str| HUB.iter().any(|alias| alias.eq_ignore_ascii_case(name));
    name.eq_ignore_ascii_case(host.as_str()) || is_hub(name) && is_hub(host.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(keys: &[&'static str], host: &str, repository: &str, rule: KeyRule) -> Option<&'static str> {
        let repository = RepositoryName::parse(repository).ok();
        best_key(keys.iter().copied(), &Host::parse(host).unwrap(), repository.as_ref(), rule)
    }

    #[test]
    fn the_longest_path_wins_then_the_plain_host() {
        let keys = ["h", "h/a", "h/a/b", "https://h", "h/ax", "other"];
        for (repository, key) in
            [("a/b/c", "h/a/b"), ("a/b", "h/a/b"), ("a/bc", "h/a"), ("a", "h/a"), ("x", "h"), ("", "h")]
        {
            assert_eq!(best(&keys, "h", repository, KeyRule::Podman), Some(key), "{repository}");
            assert_eq!(best(&keys, "h", repository, KeyRule::Docker), Some(key), "{repository}");
        }
        assert_eq!(best(&["h/a"], "h", "b", KeyRule::Podman), None);
        assert_eq!(best(&["h/a"], "h", "b", KeyRule::Docker), Some("h/a"));
    }

    #[test]
    fn older_ways_to_write_a_host() {
        for key in ["https://h:5000", "http://h:5000/", "https://h:5000/v1/", "h:5000/v2", "H:5000"] {
            assert_eq!(best(&[key], "h:5000", "a", KeyRule::Podman), Some(key));
        }
        for key in ["h", "h:5001", "xh:5000", "h:5000.evil", "", "/", "://"] {
            assert_eq!(best(&[key], "h:5000", "a", KeyRule::Docker), None, "{key}");
        }
        assert_eq!(best(&["https://h/v1/", "h"], "h", "a", KeyRule::Docker), Some("h"));
        assert_eq!(best(&["https://h/v1/", "http://h"], "h", "a", KeyRule::Docker), Some("http://h"));
    }

    #[test]
    fn docker_hub_has_many_names() {
        for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"] {
            for host in ["docker.io", "registry-1.docker.io", "index.docker.io"] {
                assert_eq!(best(&[key], host, "org/web", KeyRule::Docker), Some(key), "{host}");
            }
            assert_eq!(best(&[key], "hub.docker.com", "org/web", KeyRule::Docker), None);
        }
        assert_eq!(
            best(&["docker.io", "docker.io/org"], "docker.io", "org/web", KeyRule::Podman),
            Some("docker.io/org")
        );
    }
}
