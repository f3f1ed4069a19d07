-- Its update was planned anew for each order, which took longer than the update: the planner expects fewer rows when it
-- sees the arrays, and so never keeps a plan for all of them.
alter function inventory_reserve(uuid, uuid[], integer[], double precision) set plan_cache_mode = force_generic_plan;
