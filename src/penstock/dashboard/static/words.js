"use strict";
// Words that the editor of SQL knows beside tables and columns. Loaded once it is shown.
export const keyword = (
  "select from where group by order having limit offset qualify window as on using join left right full inner outer cross " +
  "lateral asof positional union intersect except all distinct with recursive values case when then else end and or not in " +
  "is null like ilike between exists any some true false asc desc nulls first last over partition rows range unbounded " +
  "preceding following current row filter cast interval date timestamp time at zone exclude replace sample collate similar " +
  "to escape materialized "
).trim().split(" ");
export const fun = (
  "count sum avg min max median mode quantile_cont approx_quantile approx_count_distinct count_if bool_and bool_or arg_min " +
  "arg_max any_value list string_agg stddev corr coalesce nullif ifnull greatest least if round floor ceil abs ln log10 exp " +
  "sqrt power lower upper trim length substring left right replace split_part strpos contains starts_with ends_with concat " +
  "concat_ws regexp_matches regexp_extract regexp_replace format printf date_trunc date_part date_diff date_add extract " +
  "epoch strftime strptime time_bucket today now to_timestamp make_date dayname monthname row_number rank dense_rank ntile " +
  "lag lead first_value last_value try_cast typeof json_extract json_extract_string json_keys unnest range generate_series " +
  "list_contains list_sort histogram "
).trim().split(" ");
