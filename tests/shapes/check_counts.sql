SELECT sum({{ column }}) >= {{ least }} * avg_of('{{ column }}', '8 weeks')
FROM counts
WHERE day = '{{ local_ds }}'
