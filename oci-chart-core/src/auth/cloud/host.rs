use crate::name::Host;

/// The cloud that a registry belongs to.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{auth::cloud::Cloud, name::Host};
///
/// let host = Host::parse("123456789012.dkr.ecr.eu-central-1.amazonaws.com")?;
/// let endpoint = "https://api.ecr.eu-central-1.amazonaws.com".to_owned();
/// assert_eq!(Cloud::of(&host), Some(Cloud::Ecr { region: "eu-central-1".into(), endpoint }));
/// assert_eq!(Cloud::of(&Host::parse("europe-west3-docker.pkg.dev")?), Some(Cloud::Google));
/// assert_eq!(Cloud::of(&Host::parse("registry.example")?), None);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// A private registry of Amazon ECR.
    Ecr {
        /// The region that requests are signed for.
        region: String,
        /// The address of the region's API, without a slash at the end.
        endpoint: String,
    },
    /// Amazon ECR Public.
    EcrPublic,
    /// Google Artifact Registry or Container Registry.
    Google,
    /// Azure Container Registry.
    Azure,
}

/// Where ECR Public's API is; there is but one.
pub(super) const ECR_PUBLIC: (&str, &str) = ("us-east-1", "https://api.ecr-public.us-east-1.amazonaws.com");

/// Ends of ECR's host names, and how its API is called in that network: plain, and with FIPS.
const ECR_SUFFIXES: &[(&str, &str, &str)] = &[
    ("amazonaws.com", "api.ecr.REGION.amazonaws.com", "ecr-fips.REGION.amazonaws.com"),
    ("amazonaws.com.cn", "api.ecr.REGION.amazonaws.com.cn", "ecr-fips.REGION.amazonaws.com.cn"),
    ("amazonaws.eu", "api.ecr.REGION.amazonaws.eu", "ecr-fips.REGION.amazonaws.eu"),
    ("c2s.ic.gov", "api.ecr.REGION.c2s.ic.gov", "ecr-fips.REGION.c2s.ic.gov"),
    ("sc2s.sgov.gov", "api.ecr.REGION.sc2s.sgov.gov", "ecr-fips.REGION.sc2s.sgov.gov"),
    ("csp.hci.ic.gov", "api.ecr.REGION.csp.hci.ic.gov", "ecr-fips.REGION.csp.hci.ic.gov"),
    ("cloud.adc-e.uk", "api.ecr.REGION.cloud.adc-e.uk", "ecr-fips.REGION.cloud.adc-e.uk"),
    ("on.aws", "ecr.REGION.api.aws", "ecr-fips.REGION.api.aws"),
    (
        "on.amazonwebservices.com.cn",
        "ecr.REGION.api.amazonwebservices.com.cn",
        "ecr-fips.REGION.api.amazonwebservices.com.cn",
    ),
];

impl Cloud {
    /// The cloud that `host` belongs to by its name. The name must be the cloud's own: whoever could choose another one that passes
    /// would be told the login.
    pub fn of(host: &Host) -> Option<Self> {
        let name = host.name().to_ascii_lowercase();
        match name.as_str() {
            "public.ecr.aws" | "ecr-public.aws.com" => return Some(Self::EcrPublic),
            "gcr.io" => return Some(Self::Google),
            _ => {}
        }
        if below(&name, "gcr.io") || below(&name, "pkg.dev") {
            return Some(Self::Google);
        }
        if ["azurecr.io", "azurecr.cn", "azurecr.us", "azurecr.de"].iter().any(|zone| below(&name, zone)) {
            return Some(Self::Azure);
        }
        ecr(&name)
    }
}

/// `ID.dkr.ecr.REGION.SUFFIX`, `ID.dkr-ecr-fips.REGION.SUFFIX` and what lies between.
fn ecr(name: &str) -> Option<Cloud> {
    let (account, rest) = name.split_once('.')?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest = rest.strip_prefix("dkr.ecr").or_else(|| rest.strip_prefix("dkr-ecr"))?;
    let (fips, rest) = match rest.strip_prefix("-fips.") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix('.')?),
    };
    let (region, suffix) = rest.split_once('.')?;
    let (_, plain, with_fips) = ECR_SUFFIXES.iter().find(|(known, ..)| *known == suffix)?;
    let is_region = !region.is_empty()
        && !region.starts_with('-')
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let pattern = if fips { with_fips } else { plain };
    is_region.then(|| Cloud::Ecr {
        region: region.to_owned(),
        endpoint: format!("https://{}", pattern.replace("REGION", region)),
    })
}

fn below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).and_then(|rest| rest.strip_suffix('.')).is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_the_clouds() {
        let ecr = |region: &str, endpoint: &str| {
            Some(Cloud::Ecr { region: region.into(), endpoint: format!("https://{endpoint}") })
        };
        for (host, expected) in [
            (
                "123456789012.dkr.ecr.us-east-1.amazonaws.com",
                ecr("us-east-1", "api.ecr.us-east-1.amazonaws.com"),
            ),
            (
                "123456789012.DKR.ECR.us-east-1.amazonaws.com:443",
                ecr("us-east-1", "api.ecr.us-east-1.amazonaws.com"),
            ),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                ecr("us-gov-west-1", "ecr-fips.us-gov-west-1.amazonaws.com"),
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                ecr("cn-north-1", "api.ecr.cn-north-1.amazonaws.com.cn"),
            ),
            ("123456789012.dkr-ecr.eu-west-1.on.aws", ecr("eu-west-1", "ecr.eu-west-1.api.aws")),
            ("123456789012.dkr-ecr-fips.us-east-2.on.aws", ecr("us-east-2", "ecr-fips.us-east-2.api.aws")),
            (
                "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
                ecr("us-iso-east-1", "api.ecr.us-iso-east-1.c2s.ic.gov"),
            ),
            ("public.ecr.aws", Some(Cloud::EcrPublic)),
            ("gcr.io", Some(Cloud::Google)),
            ("eu.gcr.io", Some(Cloud::Google)),
            ("europe-west3-docker.pkg.dev", Some(Cloud::Google)),
            ("team.azurecr.io", Some(Cloud::Azure)),
            ("team.azurecr.cn", Some(Cloud::Azure)),
        ] {
            assert_eq!(Cloud::of(&Host::parse(host).unwrap()), expected, "{host}");
        }
    }

    #[test]
    fn hosts_that_only_look_like_it() {
        for host in [
            "12345678901.dkr.ecr.us-east-1.amazonaws.com",
            "x23456789012.dkr.ecr.us-east-1.amazonaws.com",
            "evil.123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
            "123456789012.dkr.ecr.us-east-1.evil.example.amazonaws.com",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.evil_region.amazonaws.com",
            "123456789012.dkr.ecr.amazonaws.com",
            "123456789012.dkr.ecrx.us-east-1.amazonaws.com",
            "public.ecr.aws.evil.example",
            "evilgcr.io",
            "gcr.io.evil.example",
            ".gcr.io",
            "pkg.dev",
            "azurecr.io",
            "team.azurecr.io.evil.example",
            "docker.io",
            "amazonaws.com",
        ] {
            assert_eq!(Cloud::of(&Host::parse(host).unwrap()), None, "{host}");
        }
    }
}
