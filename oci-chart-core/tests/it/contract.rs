//! What every store must do, one function per behaviour, run over every store there is.

mod behaviours;
mod local;

use std::{future::Future, pin::Pin, sync::Arc};

use oci_chart_core::store::Store;

pub(crate) use behaviours::ALL;

/// A behaviour: its name and what it does with a fresh, empty store.
pub(crate) type Behaviour = (&'static str, fn(Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()>>>);

/// What a store says it cannot do, by the behaviours' names; each skip is printed.
pub(crate) type Cannot<'a> = &'a [&'a str];

/// Runs all behaviours, each over a new store from `make`.
pub(crate) fn run(name: &str, cannot: Cannot<'_>, mut make: impl FnMut(&str) -> Arc<dyn Store>) {
    for skipped in cannot {
        assert!(ALL.iter().any(|(behaviour, _)| behaviour == skipped), "no behaviour is called {skipped}");
    }
    for (behaviour, check) in ALL {
        if cannot.contains(behaviour) {
            eprintln!("SKIPPED: {name} cannot do `{behaviour}`");
            continue;
        }
        eprintln!("{name}: {behaviour}");
        let store = make(behaviour);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(store));
    }
}
