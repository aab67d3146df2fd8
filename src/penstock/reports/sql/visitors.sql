-- How many people came from one day to another, and how many of them for the first time?
--
-- A visitor is counted in the first of their sessions in the range: the one whose previous session was before it.

select
    count(*) filter (first_day is not null and (prev_day is null or prev_day < $since::date)) as visitors,
    count(*) filter (first_day is not null and prev_day is null) as new,
    count(*) as sessions,
    count(*) filter (first_day is null) as unidentified
from sessions
where day between $since::date and $until::date
