//! Serves a test registry until its standard input closes.
//!
//! The first line on standard output is the URL. Each line on standard input is a command, answered with one line:
//!
//! - `log`: the exchanges since the last `log`, as JSON.
//! - `fault METHOD TARGET NTH KIND [VALUE]`: the nth matching request goes wrong. `*` in the target stands for any run
//!   of characters. Kinds: `status CODE`, `retry-after TEXT` (429), `delay MS`, `drop`, `lose-answer`, `cut-request N`,
//!   `cut-response N`, `truncate N`, `announce-length N`, `body TEXT`, `flip N`, `endless`, `wrong-digest`,
//!   `content-type TEXT`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its caller")]

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use oci_chart_testkit::{Bearer, Builder, Exchange, Fault, Mounts, Redirect, Registry, Rule, Tls};
use serde_json::{Value, json};

const USAGE: &str = "\
serve [OPTION]...
  --port N            listen on this port of 127.0.0.1 (default: any free one)
  --profile NAME      behave as a real registry, and ask for its credentials: ecr, ecr-public, acr, gar, ghcr, dockerhub,
                      harbor, quay, artifactory, gitlab, registry-2.8, registry-3, zot; options behind it win
  --basic USER:PASS   ask for basic credentials
  --bearer USER:PASS  ask for tokens, served at /token
  --anonymous-pull    with --bearer: tokens for pull need no credentials
  --token-port        with --bearer: serve tokens from another port
  --tls               speak TLS with the built-in certificate; its authority is fixtures/tls/authority.pem
  --mutual-tls        the same, and demand a certificate of that authority: the one beside it
  --dir PATH          keep blobs above the memory limit in this directory
  --memory-limit N    bytes of a blob that stay in memory (default: 1048576)
  --latency-ms N      wait before each answer
  --page-size N       entries in one page of a list
  --throttle N:TEXT   answer the first N requests 429 with this Retry-After
  --max-chunk N       refuse a larger PATCH
  --min-chunk N       announce a smallest chunk
  --mount-status N    refuse mounts with this status
  --redirect-blobs X  redirect blob downloads to another `port` or `host`, which refuses Authorization
  --no-mount          answer mounts 202
  --no-anonymous-mount --no-single-post --chunked-only --no-chunks --no-referrers --no-tag-delete --no-delete
  --no-head --no-ranges --no-digest-header --no-manifest-location --no-reference-check --no-tag-parameters
  --absolute-urls --rotating-locations
";

fn main() -> ExitCode {
    match configure(std::env::args().skip(1)) {
        Ok(builder) => match run(builder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("serve: {error}");
                ExitCode::FAILURE
            }
        },
        Err(why) => {
            eprintln!("serve: {why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(builder: Builder) -> io::Result<()> {
    let registry = builder.start_blocking()?;
    let mut out = io::stdout();
    writeln!(out, "{}", registry.url())?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let answer = command(&registry, line?.trim()).unwrap_or_else(|why| format!("error: {why}"));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn command(registry: &Registry, line: &str) -> Result<String, String> {
    let mut words = line.splitn(6, ' ');
    let mut word = || words.next().unwrap_or_default();
    match word() {
        "log" => {
            let exchanges: Vec<_> = registry.log().take().iter().map(describe).collect();
            Ok(Value::Array(exchanges).to_string())
        }
        "fault" => {
            let (method, target, nth) = (word(), word(), number(word())?);
            let fault = fault(word(), word())?;
            registry.script().add(Rule::new(method, target, fault).nth(nth));
            Ok("ok".to_owned())
        }
        other => Err(format!("unknown command {other:?}")),
    }
}

fn fault(kind: &str, value: &str) -> Result<Fault, String> {
    Ok(match kind {
        "status" => Fault::error(number(value)?, "UNKNOWN"),
        "retry-after" => Fault::too_many_requests(value),
        "delay" => Fault::Delay(Duration::from_millis(number(value)?)),
        "drop" => Fault::Drop,
        "lose-answer" => Fault::LoseAnswer,
        "cut-request" => Fault::CutRequest(number(value)?),
        "cut-response" => Fault::CutResponse(number(value)?),
        "truncate" => Fault::Truncate(number(value)?),
        "announce-length" => Fault::AnnounceLength(number(value)?),
        "body" => Fault::Body(value.to_owned().into()),
        "flip" => Fault::FlipByte(number(value)?),
        "endless" => Fault::Endless,
        "wrong-digest" => Fault::wrong_digest(),
        "content-type" => Fault::content_type(value),
        other => return Err(format!("unknown fault {other:?}")),
    })
}

fn describe(exchange: &Exchange) -> Value {
    json!({
        "connection": exchange.connection,
        "origin": format!("{:?}", exchange.origin),
        "class": format!("{:?}", exchange.class),
        "method": exchange.method,
        "target": exchange.target,
        "status": exchange.status,
        "bytes_in": exchange.bytes_in,
        "bytes_out": exchange.bytes_out,
        "authorization": exchange.authorization,
        "user_agent": exchange.header("user-agent"),
    })
}

fn configure(mut arguments: impl Iterator<Item = String>) -> Result<Builder, String> {
    let mut builder = Registry::builder();
    let mut bearer: Option<Bearer> = None;
    let (mut anonymous_pull, mut token_port) = (false, false);
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value"));
        builder = match option.as_str() {
            "--port" => builder.port(number(&value()?)?),
            "--profile" => builder.profile(value()?.parse()?),
            "--basic" => {
                let (user, password) = pair(&value()?)?;
                builder.basic_auth(&user, &password)
            }
            "--bearer" => {
                let (user, password) = pair(&value()?)?;
                bearer = Some(Bearer::new(&user, &password));
                builder
            }
            "--anonymous-pull" => {
                anonymous_pull = true;
                builder
            }
            "--token-port" => {
                token_port = true;
                builder
            }
            "--dir" => builder.directory(value()?),
            "--memory-limit" => builder.memory_limit(number(&value()?)?),
            "--latency-ms" => builder.latency(Duration::from_millis(number(&value()?)?)),
            "--page-size" => builder.page_size(number(&value()?)?),
            "--throttle" => {
                let (times, retry_after) = pair(&value()?)?;
                builder
                    .fault(Rule::new("*", "*", Fault::too_many_requests(&retry_after)).times(number(&times)?))
            }
            "--max-chunk" => builder.max_chunk(number(&value()?)?),
            "--min-chunk" => builder.min_chunk(number(&value()?)?),
            "--mount-status" => builder.mounts(Mounts::Refused(number(&value()?)?)),
            "--redirect-blobs" => match value()?.as_str() {
                "port" => builder.redirect_blobs(Redirect::OtherPort),
                "host" => builder.redirect_blobs(Redirect::OtherHost),
                other => return Err(format!("--redirect-blobs is port or host, not {other}")),
            },
            other => switch(builder, other)?,
        };
    }
    Ok(match bearer {
        Some(bearer) => builder.bearer_auth(bearer.anonymous_pull(anonymous_pull).own_port(token_port)),
        None if anonymous_pull || token_port => {
            return Err("--anonymous-pull and --token-port need --bearer".into());
        }
        None => builder,
    })
}

fn switch(builder: Builder, option: &str) -> Result<Builder, String> {
    Ok(match option {
        "--tls" => builder.tls(Tls::built_in()),
        "--mutual-tls" => builder.tls(Tls::built_in().client_authority(Tls::AUTHORITY)),
        "--no-mount" => builder.mounts(Mounts::Never),
        "--no-anonymous-mount" => builder.anonymous_mount(false),
        "--no-single-post" => builder.single_post(false),
        "--chunked-only" => builder.chunked_only(),
        "--no-chunks" => builder.chunks(false),
        "--no-referrers" => builder.referrers_api(false),
        "--no-tag-delete" => builder.tag_delete(false),
        "--no-delete" => builder.delete(false),
        "--no-head" => builder.head(false),
        "--no-ranges" => builder.ranges(false),
        "--no-digest-header" => builder.digest_header(false),
        "--no-manifest-location" => builder.manifest_location(false),
        "--no-reference-check" => builder.check_references(false),
        "--no-tag-parameters" => builder.tag_parameters(false),
        "--rotating-locations" => builder.rotating_locations(true),
        "--absolute-urls" => builder.absolute_urls(true),
        other => return Err(format!("unknown option {other}")),
    })
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number of the right size"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once(':').ok_or_else(|| format!("{text:?} has no colon"))?;
    Ok((left.to_owned(), right.to_owned()))
}
