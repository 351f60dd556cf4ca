use std::{collections::BTreeSet, fmt};

use crate::name::RepositoryName;

/// What an operation does in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
    Delete,
}

impl Access {
    const fn actions(self) -> &'static [&'static str] {
        match self {
            Self::Pull => &["pull"],
            Self::Push => &["pull", "push"],
            Self::Delete => &["delete", "pull"],
        }
    }
}

/// A set of permissions that a token is asked for (distribution, "Token Scope"): resources with their actions.
///
/// The first resource is the one that the operation is about: some token services read no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(Vec<(String, BTreeSet<String>)>);

impl Scope {
    /// What `access` to `repository` needs.
    pub(crate) fn repository(repository: &RepositoryName, access: Access) -> Self {
        let actions = access.actions().iter().map(|action| (*action).to_owned()).collect();
        Self(vec![(format!("repository:{repository}"), actions)])
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads the scopes of a challenge: separated by blanks, with the actions behind the last colon.
    pub(crate) fn parse(text: &str) -> Self {
        let mut scope = Self::none();
        for part in text.split_ascii_whitespace() {
            if let Some((resource, actions)) = part.rsplit_once(':') {
                let actions =
                    actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned).collect();
                scope.add(resource, actions);
            }
        }
        scope
    }

    /// This and what `other` has beyond it, behind it.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        for (resource, actions) in other.0 {
            self.add(&resource, actions);
        }
        self
    }

    /// What of this `other` does not allow.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let left = self.0.iter().filter_map(|(resource, actions)| {
            let allowed = other.0.iter().find(|(own, _)| own == resource).map(|(_, allowed)| allowed);
            let missing: BTreeSet<_> = match allowed {
                Some(allowed) if allowed.contains("*") => return None,
                Some(allowed) => actions.difference(allowed).cloned().collect(),
                None => actions.clone(),
            };
            (!missing.is_empty()).then(|| (resource.clone(), missing))
        });
        Self(left.collect())
    }

    /// The repository that the operation is about.
    pub(crate) fn first_repository(&self) -> Option<RepositoryName> {
        let (resource, _) = self.0.first()?;
        RepositoryName::parse(resource.strip_prefix("repository:")?).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a token for this serves where `other` is needed.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(resource, actions)| {
            self.0.iter().any(|(own, allowed)| {
                own == resource && (allowed.contains("*") || allowed.is_superset(actions))
            })
        })
    }

    /// Each resource with its actions as one text, the needed one first.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(resource, actions)| {
            let actions: Vec<_> = actions.iter().map(String::as_str).collect();
            format!("{resource}:{}", actions.join(","))
        })
    }

    fn add(&mut self, resource: &str, actions: BTreeSet<String>) {
        match self.0.iter_mut().find(|(own, _)| own == resource) {
            Some((_, own)) => own.extend(actions),
            None => self.0.push((resource.to_owned(), actions)),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, text) in self.texts().enumerate() {
            write!(f, "{}{text}", if n == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(repository: &str, access: Access) -> Scope {
        Scope::repository(&RepositoryName::parse(repository).unwrap(), access)
    }

    #[test]
    fn scopes_merge_and_the_first_stays_first() {
        let scope =
            of("b", Access::Push).and(of("a", Access::Pull)).and(Scope::parse("repository:b:pull,delete"));
        assert_eq!(scope.to_string(), "repository:b:delete,pull,push repository:a:pull");
        assert_eq!(
            Scope::parse("registry:catalog:* x  repository:h:80/a:pull,").to_string(),
            "registry:catalog:* repository:h:80/a:pull"
        );
        assert_eq!(Scope::parse("").to_string(), "");
    }

    #[test]
    fn a_larger_scope_serves_a_smaller_one() {
        let push = of("a", Access::Push);
        assert!(push.covers(&of("a", Access::Pull)) && push.covers(&push));
        assert!(!of("a", Access::Pull).covers(&push));
        assert!(!push.covers(&of("b", Access::Pull)));
        assert!(!push.covers(&push.clone().and(of("b", Access::Pull))));
        let all = Scope::parse("repository:a:*");
        assert!(all.covers(&push));
        assert!(push.without(&all).is_empty() && !push.without(&of("a", Access::Pull)).is_empty());
    }
}
