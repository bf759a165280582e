//! The subscription plan of a tenant and what it includes (S-02, §7.15).
//!
//! "Plan" alone means this; a dry run's answer is a change plan.

super::spelled! {
    /// What a tenant pays for.
    SubscriptionPlan {
        Starter = "starter",
        Professional = "professional",
        Business = "business",
    }
}

impl SubscriptionPlan {
    /// The plans that include learner groups, for messages.
    pub const WITH_GROUPS: &'static [Self] = &[Self::Professional, Self::Business];

    /// Whether learner groups may be made, changed and enroll (S-02).
    #[must_use]
    pub const fn includes_groups(self) -> bool {
        match self {
            Self::Starter => false,
            Self::Professional | Self::Business => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_plans_named_in_messages_include_groups() {
        for plan in SubscriptionPlan::ALL {
            assert_eq!(
                plan.includes_groups(),
                SubscriptionPlan::WITH_GROUPS.contains(plan),
                "{plan}"
            );
            assert_eq!(SubscriptionPlan::parse(plan.as_str()), Some(*plan));
        }
        assert_eq!(SubscriptionPlan::parse("free"), None);
    }
}
