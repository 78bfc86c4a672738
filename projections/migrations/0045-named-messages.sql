-- Unused since 0040-named-messages
-- Deferred 7 days

-- First of all, as a batch of the projector does it: else each could wait for the other.
update followers.checkpoint set names_messages = true where name = 'read';

-- Messages of a time are found by bisecting their sequences, those of a person in a group by messages_group_senders_idx.
drop index read.messages_conversation_sender_sequence_idx;
drop index read.messages_conversation_timestamp_sequence_idx;
