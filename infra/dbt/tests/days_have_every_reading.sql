-- Days add up to the readings themselves: a row here is a day that doesn't.
with counted as (
    select device, metric, date_trunc('day', time, 'UTC') as day, count(*) as readings, min(value) as lowest, max(value) as highest
    from {{ source('fieldwatch', 'reading') }}
    group by 1, 2, 3
)
select *
from counted
full join {{ ref('device_day') }} as days using (device, metric, day)
where counted.readings is distinct from days.readings
    or counted.lowest is distinct from days.lowest
    or counted.highest is distinct from days.highest
