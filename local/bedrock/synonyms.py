"""Everyday English words that stand for one another, as a small thesaurus has them; no document's own words."""

from __future__ import annotations

from functools import lru_cache

from local.bedrock.words import stem

# What a caller says and what a text says are rarely the same word. Antonyms are here too: whether a door is open is
# answered by a sentence that says when it is closed. Several words joined by a hyphen do not occur in a text as one.
GROUPS = """
open close shut hours
begin start commence
end finish stop
cost price fee charge rate tariff fare expense
cheap inexpensive affordable low
pay payment spend
buy purchase order sell
free complimentary
money cash
refund reimburse repay
return exchange
deliver ship dispatch post mail courier parcel package
parcel package
fast quick express
slow late delay
fix repair mend
break damage fault defect
guarantee warranty
forget lose
find locate
where location address situated
place site venue
phone call ring
contact reach
email mail
person staff employee worker
boss manager supervisor
job career vacancy employment recruit hire
abroad foreign overseas international country
child kid baby infant
parent mother father
old age senior elderly
young youth teenager
dog pet animal
car vehicle parking
bike cycle
bus tram train transport
walk foot
wheelchair disability accessible accessibility step-free
toilet bathroom restroom
eat food meal
drink beverage alcohol beer wine
bag luggage baggage suitcase
heavy weigh weight
coffee tea
allergy allergic intolerance
doctor physician
ill sick
medicine drug medication
hurt injury injured
home house
flat apartment
rent hire lease borrow
owner landlord
room accommodation
reserve book booking reservation
cancel cancellation withdraw
extend extension renew prolong
change alter modify amend
switch swap change exchange
join register enrol signup
leave quit
ticket admission entry entrance
discount reduction concession saving percent
voucher coupon
rule regulation policy
law legal
must required mandatory compulsory obligatory
allow permit permitted permission welcome
accept take
forbid prohibit ban
document paper form
sign signature
proof evidence receipt
password passcode pin code
login sign-in
account profile
bill invoice
insurance insure cover
help assist assistance support
complain complaint
question enquiry query
answer reply respond response
teach lesson class course
learn study
school college
minute hour day week month year
year annual yearly
night overnight evening
morning breakfast
noon lunch
big large size
small little
new recent modern
rubbish waste trash garbage
recycle recycling
water river
rain storm
cold winter
hot heat warm summer
holiday vacation
tree plant
town city
road street
shop store
clothes clothing garment
measure size
increase rise grow growth
decrease fall decline drop
cause reason
result outcome effect consequence
danger risk hazard
safe safety secure security
try attempt
choose select pick
collect collection pickup
keep retain store
throw discard dispose
show display
use usage
need require
give provide supply
main major
"""
WEIGHT = 0.6  # another word for it is weaker evidence than the word itself


@lru_cache(maxsize=1)
def _groups_by_stem() -> dict[str, set[str]]:
    related: dict[str, set[str]] = {}
    for line in GROUPS.strip().splitlines():
        stems = {stem(word) for word in line.split()}
        for one in stems:
            related.setdefault(one, set()).update(stems - {one})
    return related


def find_synonyms(one: str) -> dict[str, float]:
    """The stems that can stand for this one, itself included, with how much each counts (0 to 1)."""
    return {one: 1.0, **dict.fromkeys(sorted(_groups_by_stem().get(one, ())), WEIGHT)}
