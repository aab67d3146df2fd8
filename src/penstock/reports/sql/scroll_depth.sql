-- ---
-- title = "Scroll depth"
-- question = "How far down do readers scroll?"
-- example = "penstock report scroll_depth --from 30d --where page_path=/pricing"
-- breakdown = true
-- keys = ["percent"]
--
-- [columns]
-- percent = "mark (%); 0 stands for every page view"
-- breakdown = "the column asked for with --by"
-- views = "page views in which the page scrolled at least so far down"
-- share = "of all page views (share)"
-- ---
{% call marks_reached("percent") %}
{% block counted %}
{{ marks_said("scroll_depth", "percent", by) }}
{% endblock %}
{% endcall %}
