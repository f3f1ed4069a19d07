-- Mails kept while there was no mail server are sent once there is one, unless they are too old by then: `expired`. Only
-- adds: programs of the version before write none of these and read only what waits.
set local lock_timeout = '5s';

alter table user_mails
    drop constraint user_mails_state_check,
    add constraint user_mails_state_check
        check (state in ('waiting', 'sent', 'unsent', 'failed', 'expired')) not valid;

create index user_mails_unsent on user_mails (created_at) where state = 'unsent';
