SELECT *
FROM {{ chain }}_raw.{{ table }}
WHERE date = '{{ ds }}'
