SELECT {% for column in columns %}{{ column.name }}{% if not loop.last %}, {% endif %}{% endfor %}
FROM enriched
WHERE day = '{{ local_ds }}' LIMIT {{ limit }};
