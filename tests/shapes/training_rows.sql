SELECT *
FROM recommendation.{{ what }}
WHERE day > DATE_SUB('{{ ds }}', INTERVAL {{ days }} DAY)
