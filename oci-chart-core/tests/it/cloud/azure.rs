//! Azure's registries: a token of Entra ID, and its exchange.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oci_chart_core::{
    ErrorKind,
    auth::cloud::{AzureLogin, Cloud, CloudLogins, CloudOptions},
};
use serde_json::json;

use super::{
    ask, basic, block,
    fake::{Answer, Fake, owned, sorted},
    host, logins, options,
};

const USER: &str = "00000000-0000-0000-0000-000000000000";
const AUDIENCE: &str = "https://containerregistry.azure.net";

/// A registry that exchanges, Entra ID and a metadata service, at one address.
fn azure() -> Fake {
    Fake::start(|seen| match seen.target.split('?').next().unwrap() {
        "/oauth2/exchange" => Answer::ok(json!({"refresh_token": refresh()})),
        "/tenant-1/oauth2/v2.0/token" => Answer::ok(json!({"access_token": "entra", "expires_in": 3599})),
        "/metadata/identity/oauth2/token" | "/app" => {
            Answer::ok(json!({"access_token": "entra", "expires_in": "86399"}))
        }
        _ => Answer::status(404, "no"),
    })
}

fn refresh() -> String {
    format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"exp":4000000000}"#))
}

/// Logins at a registry of Azure that is at the fake's address.
fn at(fake: &Fake, options: CloudOptions) -> CloudLogins {
    let name = host(&fake.host());
    let connection = options.connection.clone().with_plain_http(name.clone());
    logins(options.with_connection(connection).with_host(name, Cloud::Azure))
}

fn exchanged(fake: &Fake, tenant: Option<&str>) -> Vec<(String, String)> {
    let name = fake.host();
    let mut form =
        vec![("grant_type", "access_token"), ("service", name.as_str()), ("access_token", "entra")];
    form.extend(tenant.map(|tenant| ("tenant", tenant)));
    owned(&form)
}

#[test]
fn an_application_and_its_secret() {
    let azure = azure();
    let url = azure.url();
    let by_variables = options(&[
        ("AZURE_AUTHORITY_HOST", &url),
        ("AZURE_TENANT_ID", "tenant-1"),
        ("AZURE_CLIENT_ID", "app"),
        ("AZURE_CLIENT_SECRET", "canary-5d"),
    ]);
    let given = options(&[("AZURE_AUTHORITY_HOST", &url)]).with_azure(AzureLogin::ClientSecret {
        tenant: "tenant-1".into(),
        client: "app".into(),
        secret: "canary-5d".into(),
    });
    for options in [by_variables, given] {
        let logins = at(&azure, options);
        assert_eq!(basic(ask(&logins, &azure.host()).unwrap()), (USER.into(), refresh()));
        let end = block(logins.expires(&host(&azure.host()))).unwrap();
        assert_eq!(end.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 4_000_000_000);
        let seen = azure.take();
        let [entra, exchange] = seen.as_slice() else { panic!("{seen:#?}") };
        let scope = format!("{AUDIENCE}/.default");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "app"),
            ("client_secret", "canary-5d"),
            ("scope", &scope),
        ];
        assert_eq!((entra.method.as_str(), sorted(entra.form())), ("POST", owned(&form)));
        assert_eq!(
            (exchange.method.as_str(), sorted(exchange.form())),
            ("POST", exchanged(&azure, Some("tenant-1")))
        );
        assert!(!format!("{logins:?}").contains("canary"));
    }
}

#[test]
fn a_token_of_the_cluster() {
    let azure = azure();
    let url = azure.url();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), "cluster-token\n").unwrap();
    let logins = at(
        &azure,
        options(&[
            ("AZURE_AUTHORITY_HOST", &url),
            ("AZURE_TENANT_ID", "tenant-1"),
            ("AZURE_CLIENT_ID", "app"),
            ("AZURE_FEDERATED_TOKEN_FILE", file.path().to_str().unwrap()),
        ]),
    );
    assert_eq!(basic(ask(&logins, &azure.host()).unwrap()), (USER.into(), refresh()));
    let scope = format!("{AUDIENCE}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "app"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "cluster-token"),
        ("scope", &scope),
    ];
    assert_eq!(sorted(azure.take()[0].form()), owned(&form));
}

#[test]
fn the_machine_s_identity() {
    let azure = azure();
    let url = azure.url();
    let app = format!("{url}/app");
    for (variables, version, header, client) in [
        (vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str())], "2018-02-01", ("metadata", "true"), None),
        (
            vec![("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str()), ("AZURE_CLIENT_ID", "mine")],
            "2018-02-01",
            ("metadata", "true"),
            Some("mine"),
        ),
        (
            vec![("IDENTITY_ENDPOINT", app.as_str()), ("IDENTITY_HEADER", "s3cret")],
            "2019-08-01",
            ("x-identity-header", "s3cret"),
            None,
        ),
    ] {
        let logins = at(&azure, options(&variables));
        assert_eq!(basic(ask(&logins, &azure.host()).unwrap()), (USER.into(), refresh()));
        let seen = azure.take();
        let mut query = vec![("api-version", version), ("resource", AUDIENCE)];
        query.extend(client.map(|client| ("client_id", client)));
        assert_eq!((seen[0].method.as_str(), sorted(seen[0].query())), ("GET", owned(&query)));
        assert_eq!(seen[0].header(header.0), Some(header.1));
        assert_eq!(sorted(seen[1].form()), exchanged(&azure, None));
    }
}

#[test]
fn a_machine_without_an_identity() {
    let registry = azure();
    for status in [400, 404, 405] {
        let machine = Fake::start(move |_| Answer::status(status, r#"{"error":"invalid_request"}"#));
        let variables = |client| {
            options(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", &machine.url()), ("AZURE_CLIENT_ID", client)])
        };
        assert_eq!(ask(&at(&registry, variables("")), &registry.host()).unwrap(), None);
        let error = ask(&at(&registry, variables("mine")), &registry.host()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error:?}");
    }
    assert!(registry.take().is_empty());
}

#[test]
fn a_token_that_is_given_is_exchanged() {
    let azure = azure();
    for tenant in [None, Some("tenant-2")] {
        let login = AzureLogin::AccessToken { token: "entra".into(), tenant: tenant.map(str::to_owned) };
        let logins = at(&azure, options(&[]).with_azure(login));
        assert_eq!(basic(ask(&logins, &azure.host()).unwrap()), (USER.into(), refresh()));
        assert_eq!(sorted(azure.take()[0].form()), exchanged(&azure, tenant));
    }
}

#[test]
fn refusals_are_told_without_secrets() {
    let login = |tenant: &str| AzureLogin::ClientSecret {
        tenant: tenant.into(),
        client: "app".into(),
        secret: "canary-5d".into(),
    };
    for (status, exchange, kind, words) in [
        (
            401,
            200,
            ErrorKind::Unauthenticated,
            "Microsoft Entra ID answered 401: invalid_client: AADSTS7000215",
        ),
        (503, 200, ErrorKind::Unavailable, "Microsoft Entra ID answered 503"),
        (200, 401, ErrorKind::Unauthenticated, "token exchange answered 401"),
        (200, 200, ErrorKind::Protocol, "something else"),
    ] {
        let azure = Fake::start(move |seen| {
            if seen.target == "/oauth2/exchange" {
                return Answer::status(exchange, "{}");
            }
            Answer::status(
                status,
                json!({"access_token": "canary-6e", "error": "invalid_client",
                    "error_description": "AADSTS7000215: no.\r\nTrace ID: 1"}),
            )
        });
        let options = options(&[("AZURE_AUTHORITY_HOST", &azure.url())]).with_azure(login("tenant-1"));
        let error = ask(&at(&azure, options), &azure.host()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(words) && !format!("{error:?}").contains("canary"), "{error:?}");
    }
    for tenant in ["", "../x", "a b", "a/b?c"] {
        let error = ask(&logins(options(&[]).with_azure(login(tenant))), "team.azurecr.io").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{tenant}");
    }
}
