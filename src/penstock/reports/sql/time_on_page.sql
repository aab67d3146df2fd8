-- ---
-- title = "Time on page"
-- question = "How long do readers look at a page?"
-- example = "penstock report time_on_page --from 30d --where page_path=/pricing"
-- breakdown = true
-- keys = ["seconds"]
--
-- [columns]
-- seconds = "mark (seconds); 0 stands for every page view"
-- breakdown = "the column asked for with --by"
-- views = "page views in which the page was looked at for at least so long"
-- share = "of all page views (share)"
-- ---
{% call marks_reached("seconds") %}
{% block counted %}
{{ marks_said("time_on_page", "seconds", by) }}
{% endblock %}
{% endcall %}
