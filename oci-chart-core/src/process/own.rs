use std::{ops::Deref, process, sync::OnceLock};

/// A value that each process has anew.
///
/// A fork copies the memory of all threads and only one of them: a lock that another thread holds in that moment is never released in the
/// child, and a connection that another thread serves never answers there. What a client learns, it can learn again; so whatever it keeps
/// behind a lock stands in one of these, and a child never looks at what it inherited, not even to drop it.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    pid: u32,
    /// None once an inherited value has been left alone.
    value: Option<T>,
    /// The value of a child, and of its children.
    child: OnceLock<Box<Self>>,
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> Self {
        Self { pid: process::id(), value: Some(T::default()), child: OnceLock::new() }
    }
}

impl<T: Default> Deref for PerProcess<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let pid = process::id();
        let mut place = self;
        loop {
            match &place.value {
                Some(value) if place.pid == pid => return value,
                _ => place = place.child.get_or_init(Box::default),
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.pid != process::id() {
            std::mem::forget(self.value.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    /// As it stands in a child of the process that made it.
    fn inherited<T>(value: T) -> PerProcess<T> {
        PerProcess { pid: process::id().wrapping_add(1), value: Some(value), child: OnceLock::new() }
    }

    #[test]
    fn a_process_keeps_its_value() {
        let value = PerProcess::<AtomicU32>::default();
        value.store(7, Ordering::Relaxed);
        assert_eq!(value.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn a_child_has_a_value_of_its_own_and_keeps_it() {
        let value = inherited(AtomicU32::new(7));
        assert_eq!(value.fetch_add(1, Ordering::Relaxed), 0);
        assert_eq!(value.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_lock_that_nobody_will_release_is_in_no_childs_way() {
        let value = inherited(Mutex::new(7));
        let held = value.value.as_ref().map(|lock| lock.lock().unwrap());
        assert_eq!(*value.try_lock().unwrap(), 0);
        drop(held);
    }

    #[test]
    fn only_what_a_process_made_is_dropped_in_it() {
        let (parents, own) = (Arc::new(()), Arc::new(()));
        let value = inherited(Mutex::new(Some(Arc::clone(&parents))));
        *value.lock().unwrap() = Some(Arc::clone(&own));
        drop(value);
        assert_eq!((Arc::strong_count(&parents), Arc::strong_count(&own)), (2, 1));
    }
}
