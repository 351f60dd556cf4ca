use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use super::Cloud;
use crate::{auth::Credentials, error::Result, name::Host, process::PerProcess};

/// So much before its end a login is not handed out any more. Metadata services keep tokens until five minutes before theirs.
const EARLY: Duration = Duration::from_secs(60);
/// How long nothing stays nothing: looking for a metadata service that is not there takes time.
const NOTHING: Duration = Duration::from_secs(60);

/// Logins by cloud. Each is fetched once, however many requests wait for it.
#[derive(Default)]
pub(super) struct Cache(PerProcess<Mutex<HashMap<Key, Arc<Slot>>>>);

/// ECR's logins are a region's, Google's are for everything; Azure's belong to one registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    cloud: Cloud,
    host: Option<Host>,
}

type Slot = tokio::sync::Mutex<Option<Held>>;

struct Held {
    login: Option<Credentials>,
    since: Instant,
}

impl Key {
    pub(super) fn of(cloud: &Cloud, host: &Host) -> Self {
        let own = matches!(cloud, Cloud::Azure).then(|| host.clone());
        Self { cloud: cloud.clone(), host: own }
    }
}

impl Cache {
    /// The login under `key`, fetched if there is none that serves.
    pub(super) async fn get(
        &self,
        key: Key,
        fetch: impl Future<Output = Result<Option<Credentials>>>,
    ) -> Result<Option<Credentials>> {
        let slot = self.slot(key);
        let mut held = slot.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.serves()) {
            return Ok(held.login.clone());
        }
        let login = fetch.await?;
        *held = Some(Held { login: login.clone(), since: Instant::now() });
        Ok(login)
    }

    /// Forgets a login that was refused.
    pub(super) fn forget(&self, key: Key, refused: &Credentials) {
        // One that is locked is being fetched anew already.
        if let Ok(mut held) = self.slot(key).try_lock() {
            let login = held.as_ref().and_then(|held| held.login.as_ref());
            if login.is_some_and(|login| login.kind() == refused.kind()) {
                *held = None;
            }
        }
    }

    /// When the login that is held ends.
    pub(super) async fn expires(&self, key: Key) -> Option<SystemTime> {
        let slot = self.slot(key);
        let held = slot.lock().await;
        held.as_ref()?.login.as_ref()?.expiry()
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key).or_default())
    }
}

impl Held {
    fn serves(&self) -> bool {
        let Some(login) = &self.login else { return self.since.elapsed() < NOTHING };
        login.expiry().is_none_or(|end| end.duration_since(SystemTime::now()).is_ok_and(|left| left > EARLY))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    fn key() -> Key {
        Key::of(&Cloud::Google, &host("gcr.io"))
    }

    fn block<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task)
    }

    /// Asks once; whether something was fetched.
    fn ask(cache: &Cache, lifetime: Option<u64>) -> bool {
        let fetched = Cell::new(false);
        let fetch = async {
            fetched.set(true);
            let login = Credentials::basic("u", "p");
            Ok(Some(match lifetime {
                Some(left) => login.with_expiry(SystemTime::now() + Duration::from_secs(left)),
                None => login,
            }))
        };
        assert!(block(cache.get(key(), fetch)).unwrap().is_some());
        fetched.get()
    }

    #[test]
    fn a_login_serves_until_shortly_before_its_end() {
        for (lifetime, again) in [(Some(90), false), (None, false), (Some(59), true)] {
            let cache = Cache::default();
            assert!(ask(&cache, lifetime));
            assert_eq!(ask(&cache, None), again, "{lifetime:?}");
        }
    }

    #[test]
    fn a_refused_login_is_fetched_anew() {
        let cache = Cache::default();
        assert!(ask(&cache, None));
        cache.forget(key(), &Credentials::basic("u", "older"));
        assert!(!ask(&cache, None), "somebody else's is refused");
        cache.forget(key(), &Credentials::basic("u", "p"));
        assert!(ask(&cache, None));
    }

    #[test]
    fn nothing_is_remembered_for_a_while() {
        let cache = Cache::default();
        assert!(block(cache.get(key(), async { Ok(None) })).unwrap().is_none());
        let fails = async { panic!("asked again") };
        assert!(block(cache.get(key(), fails)).unwrap().is_none());
        let since = Instant::now().checked_sub(NOTHING).unwrap();
        *block(cache.slot(key()).lock()) = Some(Held { login: None, since });
        assert!(ask(&cache, None));
    }

    #[test]
    fn azure_s_logins_belong_to_one_registry() {
        let (one, two) = (host("a.azurecr.io"), host("b.azurecr.io"));
        assert_ne!(Key::of(&Cloud::Azure, &one), Key::of(&Cloud::Azure, &two));
        assert_eq!(Key::of(&Cloud::EcrPublic, &one), Key::of(&Cloud::EcrPublic, &two));
    }
}
