-- Of those who came first in one period, how many came in each later one?
--
-- A visitor is counted once per period, in the first of their sessions in it.

select
    date_trunc($grain, first_day)::date as cohort,
    date_trunc($grain, day)::date as period,
    count(*) as visitors
from sessions
where day between $since::date and $until::date
  and first_day >= $since::date
  and (prev_day is null or prev_day < date_trunc($grain, day))
group by cohort, period
order by cohort, period
