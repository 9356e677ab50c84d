SELECT count(*)
FROM {{ table }}
WHERE day = '{{ local_ds }}';
