use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use super::{Cloud, Login};
use crate::{error::Result, name::Host};

/// So much before its end a login is not handed out any more. Metadata services keep tokens until five minutes before theirs.
const EARLY: Duration = Duration::from_secs(60);
/// Within this time a host that asks again is not one whose login was refused, but somebody else's request to it.
const TOGETHER: Duration = Duration::from_secs(10);
/// How long nothing stays nothing: looking for a metadata service that is not there takes time.
const NOTHING: Duration = Duration::from_secs(60);

/// Logins by cloud. Each is fetched once, however many requests wait for it.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Key, Arc<Slot>>>);

/// ECR's logins are a region's, Google's are for everything; Azure's belong to one registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    cloud: Cloud,
    host: Option<Host>,
}

type Slot = tokio::sync::Mutex<Option<Held>>;

struct Held {
    login: Option<Login>,
    since: Instant,
    /// Who was given it: who asks again was refused.
    given: HashSet<Host>,
}

impl Key {
    pub(super) fn of(cloud: &Cloud, host: &Host) -> Self {
        let own = matches!(cloud, Cloud::Azure).then(|| host.clone());
        Self { cloud: cloud.clone(), host: own }
    }
}

impl Cache {
    /// The login under `key` for `host`, fetched if there is none that serves.
    pub(super) async fn get(
        &self,
        key: Key,
        host: &Host,
        fetch: impl Future<Output = Result<Option<Login>>>,
    ) -> Result<Option<Login>> {
        let slot = self.slot(key);
        let mut held = slot.lock().await;
        if let Some(held) = held.as_mut().filter(|held| held.serves(host)) {
            held.given.insert(host.clone());
            return Ok(held.login.clone());
        }
        let login = fetch.await?;
        let given = HashSet::from([host.clone()]);
        *held = Some(Held { login: login.clone(), since: Instant::now(), given });
        Ok(login)
    }

    /// When the login that is held ends.
    pub(super) async fn expires(&self, key: Key) -> Option<SystemTime> {
        let slot = self.slot(key);
        let held = slot.lock().await;
        held.as_ref()?.login.as_ref()?.expires
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }
}

impl Held {
    fn serves(&self, host: &Host) -> bool {
        let age = self.since.elapsed();
        let Some(login) = &self.login else { return age < NOTHING };
        let fresh = login
            .expires
            .is_none_or(|end| end.duration_since(SystemTime::now()).is_ok_and(|left| left > EARLY));
        fresh && (age < TOGETHER || !self.given.contains(host))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::auth::Credentials;

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    fn key(host: &Host) -> Key {
        Key::of(&Cloud::Google, host)
    }

    fn block<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task)
    }

    /// Asks once for `host`; whether something was fetched.
    fn ask(cache: &Cache, name: &str, lifetime: Option<Duration>) -> bool {
        let fetched = Cell::new(false);
        let fetch = async {
            fetched.set(true);
            let expires = lifetime.map(|left| SystemTime::now() + left);
            Ok(Some(Login { credentials: Credentials::basic("u", "p"), expires }))
        };
        assert!(block(cache.get(key(&host(name)), &host(name), fetch)).unwrap().is_some());
        fetched.get()
    }

    fn age(cache: &Cache, by: Duration) {
        for slot in cache.0.lock().unwrap().values() {
            if let Some(held) = slot.try_lock().unwrap().as_mut() {
                held.since -= by;
            }
        }
    }

    #[test]
    fn a_login_serves_until_shortly_before_its_end() {
        let cache = Cache::default();
        assert!(ask(&cache, "gcr.io", Some(Duration::from_secs(61))));
        assert!(!ask(&cache, "gcr.io", None));
        let cache = Cache::default();
        assert!(ask(&cache, "gcr.io", Some(Duration::from_secs(59))));
        assert!(ask(&cache, "gcr.io", None));
    }

    #[test]
    fn who_asks_again_was_refused() {
        let cache = Cache::default();
        assert!(ask(&cache, "gcr.io", None));
        age(&cache, TOGETHER);
        assert!(!ask(&cache, "eu.gcr.io", None), "another host of the same login");
        assert!(ask(&cache, "gcr.io", None), "refused");
        assert!(!ask(&cache, "gcr.io", None), "at the same time");
    }

    #[test]
    fn nothing_is_remembered_for_a_while() {
        let cache = Cache::default();
        let host = host("gcr.io");
        let nothing = async { Ok(None) };
        assert!(block(cache.get(key(&host), &host, nothing)).unwrap().is_none());
        let fails = async { panic!("asked again") };
        assert!(block(cache.get(key(&host), &host, fails)).unwrap().is_none());
        age(&cache, NOTHING);
        assert!(ask(&cache, "gcr.io", None));
    }

    #[test]
    fn azure_s_logins_belong_to_one_registry() {
        let (one, two) = (host("a.azurecr.io"), host("b.azurecr.io"));
        assert_ne!(Key::of(&Cloud::Azure, &one), Key::of(&Cloud::Azure, &two));
        assert_eq!(Key::of(&Cloud::EcrPublic, &one), Key::of(&Cloud::EcrPublic, &two));
    }
}
