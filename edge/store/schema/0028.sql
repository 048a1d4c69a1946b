-- What names a member is found by the member, when two become one and when one is erased.
CREATE INDEX journeys_member ON journeys (member_id) WHERE member_id <> '';
CREATE INDEX attributions_member ON attributions (member_id) WHERE member_id <> '';
CREATE INDEX parking_claims_member ON parking_claims (member_id) WHERE member_id <> '';
CREATE INDEX parking_purchases_member ON parking_purchases (member_id) WHERE member_id <> '';
CREATE INDEX validations_member ON validations (member_id) WHERE member_id <> '';
CREATE INDEX attempts_payer ON attempts (payer) WHERE payer IS NOT NULL;
