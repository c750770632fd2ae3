//! What every target must do, whatever its system: one set of behaviours, each run over every target against its own
//! simulated tenant. A target that passes can be driven by the engine without the engine knowing of it.
//!
//! A new target is a [`subject::Subject`], and a line for it below.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, and so do its helpers")]

mod failing;
mod listing;
mod program;
mod signing;
mod stale;
mod subject;
mod subjects;
mod support;
mod writing;

/// One test for each behaviour, over one target.
macro_rules! must_pass {
    ($name:ident, $subject:expr) => {
        mod $name {
            must_pass! { @all $subject;
                signing::the_right_credential_signs_in
                signing::a_wrong_credential_is_a_matter_of_configuration
                signing::a_token_that_expires_on_the_way_is_renewed_once_for_all
                signing::every_request_is_counted
                listing::a_tenant_of_nobody_is_a_whole_listing
                listing::a_thousand_accounts_are_shown_once_each
                listing::a_page_that_fails_once_is_asked_for_again
                listing::a_page_that_keeps_failing_is_never_taken_for_nobody
                listing::what_is_no_answer_of_the_system_is_never_an_empty_tenant
                listing::a_listing_that_shifts_once_is_whole_all_the_same
                listing::a_listing_that_keeps_shifting_is_whole_or_says_that_it_is_not
                writing::whoever_was_created_is_found_as_they_were_sent
                writing::a_login_that_is_taken_is_said_to_exist_and_nobody_is_doubled
                writing::an_update_changes_what_was_asked_and_nothing_else
                writing::a_leaver_is_inactive_and_a_returner_active_again
                writing::whoever_is_gone_is_not_found
                writing::an_account_is_deleted_where_the_system_can
                failing::a_create_whose_answer_is_lost_is_unknown_and_sent_once
                failing::an_update_whose_answer_is_lost_is_sent_again
                failing::a_look_that_fails_once_is_repeated
                failing::the_patience_that_is_asked_for_is_kept
                failing::a_refusal_is_of_that_account_alone
                failing::no_secret_is_in_any_error
                stale::whom_somebody_else_touched_is_left_alone_and_the_others_go_on
            }
        }
    };
    (@all $subject:expr; $($about:ident::$behaviour:ident)+) => {
        $(#[tokio::test]
        async fn $behaviour() {
            crate::$about::$behaviour(&$subject).await;
        })+
    };
}

/// One test for each behaviour of the program, over the sample of one target.
macro_rules! sample_must_pass {
    ($name:ident, $subject:expr) => {
        mod $name {
            #[test]
            fn a_second_sync_of_the_sample_changes_nothing() {
                crate::program::a_second_sync_of_the_sample_changes_nothing(&$subject);
            }

            #[test]
            fn a_plan_and_its_application_cost_what_was_estimated() {
                crate::program::a_plan_and_its_application_cost_what_was_estimated(&$subject);
            }

            #[test]
            fn a_plan_against_an_export_is_the_live_plan() {
                crate::program::a_plan_against_an_export_is_the_live_plan(&$subject);
            }

            #[test]
            fn a_run_that_is_taken_back_leaves_the_accounts_as_they_were() {
                crate::program::a_run_that_is_taken_back_leaves_the_accounts_as_they_were(&$subject);
            }
        }
    };
}

must_pass!(imichat, crate::subjects::Imichat(crate::subjects::Reading::Usual));
must_pass!(imichat_otherwise, crate::subjects::Imichat(crate::subjects::Reading::Other));
must_pass!(brightpattern, crate::subjects::Brightpattern(crate::subjects::Reading::Usual));
must_pass!(brightpattern_otherwise, crate::subjects::Brightpattern(crate::subjects::Reading::Other));
must_pass!(scim, crate::subjects::Scim(crate::subjects::Reading::Usual));
must_pass!(scim_otherwise, crate::subjects::Scim(crate::subjects::Reading::Other));

sample_must_pass!(sample_of_imichat, crate::subjects::Imichat(crate::subjects::Reading::Usual));
sample_must_pass!(sample_of_brightpattern, crate::subjects::Brightpattern(crate::subjects::Reading::Usual));
sample_must_pass!(sample_of_scim, crate::subjects::Scim(crate::subjects::Reading::Usual));
