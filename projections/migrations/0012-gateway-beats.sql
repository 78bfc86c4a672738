-- Counts a gateway's heartbeats, so that others see whether it is alive without comparing clocks.

alter table presence.gateways add column beats bigint not null default 0;
