-- Whether a diary's name looks like an attempt to instruct its reader. Names from before were not scanned; they are when
-- they are changed.

alter table diaries add column injection_risk boolean not null default false;
