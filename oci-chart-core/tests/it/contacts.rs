//! Nobody is contacted but the registry that was named: what a process connects to, as the kernel sees it.

use std::{env, process::Command};

use oci_chart_core::{
    Client, Location, blocking,
    name::{Host, Selector},
    transfer::{PullOptions, PushOptions},
};
use oci_chart_testkit::{Bearer, Registry};

use crate::{
    requests::artifact,
    support::{process::Sandbox, say, tools},
};

/// Tells the child where the registry is.
const CHILD: &str = "OCI_CHART_CONTACTS_CHILD";

#[test]
fn nobody_is_contacted_but_the_registry() {
    const TEST: &str = "nobody_is_contacted_but_the_registry";
    if let Ok(registry) = env::var(CHILD) {
        return child(&registry);
    }
    let Some(strace) = tools::judge(TEST, "strace") else { return };
    let registry = Registry::builder()
        .bearer_auth(Bearer::new("robot", "hunter2").permit(|_| true))
        .start_blocking()
        .unwrap();
    let sandbox = Sandbox::new();
    let trace = sandbox.path().join("trace");
    let mut command: Command = sandbox.command(&strace);
    command.args(["-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-e", "signal=none", "-o"]).arg(&trace);
    command
        .arg(env::current_exe().unwrap())
        .args(["--exact", "contacts::nobody_is_contacted_but_the_registry"]);
    let output = command.env(CHILD, registry.host()).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let port = registry.host().rsplit(':').next().unwrap().to_owned();
    let trace = fs_err::read_to_string(trace).unwrap();
    let contacts: Vec<&str> =
        trace.lines().filter(|line| line.contains("sin_port") || line.contains("sin6_port")).collect();
    assert!(!contacts.is_empty(), "{trace}");
    for contact in &contacts {
        let ours = contact.contains(&format!("htons({port})")) && contact.contains("127.0.0.1");
        assert!(ours, "{contact}");
    }
    say(&format!("{TEST}: {} contacts", contacts.len()));
}

/// A push, a pull, a list and a diagnosis, with everything that looks around on this machine.
fn child(registry: &str) {
    let host = Host::parse(registry).unwrap();
    let client = Client::builder().plain_http(host).stored_logins().build().unwrap();
    let client = blocking::Client::new(client);
    let at: Location = format!("oci://{registry}/charts/web").parse().unwrap();
    client.push(&artifact(1), &at, &PushOptions::default(), &mut ()).unwrap();
    let version = Selector::for_version("^1").unwrap();
    client.pull(&at, &version, &PullOptions::without_verification(), &mut ()).unwrap();
    client.tags(&at, &mut ()).unwrap();
    assert!(client.diagnose(&at, &mut ()).unwrap().is_ok());
}
