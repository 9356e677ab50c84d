SELECT sum({{ column }}) >= {{ least }} * avg_of('{{ column }}', '60 days')
FROM counts
WHERE day = '{{ local_ds }}'
