"""Word lists: English as far as retrieval needs it, and the little words of three other languages."""

from __future__ import annotations

# Words that say nothing of what is asked.
_STOP = """
a an the this that these those some any all both each every other another such same own i me my mine we us our ours you your
yours he him his she her hers it its they them their theirs one ones someone anyone everyone something anything everything
who whom whose which what when why how whether there here of in on at by for from to into onto with without within about
as than then so if or and but nor not no yes up out off over under again also too very just only even still yet ever
am is are was were be been being do does did doing done have has had having can could will would shall should may might must
cant cannot dont doesnt didnt wont wouldnt isnt arent wasnt havent hasnt im id ive ill youre youve thats theres whats wheres
whens whos hows lets ought
please tell know say says said ask question wonder wondering thank thanks hello hi hey okay ok well like want wants need needs
get gets got give gives let find um uh er info information today tomorrow tonight now currently moment much many long often far
because while during ago until upon via per more most less least lot lots bit really actually exactly possible able best
"""
# A question in another language is at least not drowned in its articles.
_STOP_ELSEWHERE = """
der die das den dem des ein eine einen einem eines und oder aber nicht ist sind war wie wann wo wer welche welcher ich sie wir
ihr mein ihre kann können gibt es mit für von zu auf bei aus im am zum zur auch habe haben hat man mich mir bitte
el la los las un una unos unas y o pero no es son está cómo cuándo dónde qué quién yo mi su con para
por de del al en se puedo puede hay tengo tiene
le les une et ou mais est sont je vous nous mon ma mes votre vos avec pour dans du au aux ce cette quel quelle quels quelles
quand comment où que qui peux puis peut avez ai y
"""
# Words of almost any sentence: they count, but little.
_WEAK = """
where take go come work use make look keep put happen start stop help call try new old good first last next back thing way
people person place kind sort available offer provide allow include different buy sell purchase become inside item
article product bring recommend suggest advise programme program scheme home policy rule detail condition
time minute hour day week month year
"""
_IRREGULAR = """
pay paid, buy bought, send sent, bring brought, sell sold, lose lost, find found, make made, take took taken, give gave given,
go went gone, come came, keep kept, leave left, begin began begun, break broke broken, choose chose chosen, eat ate eaten,
write wrote written, speak spoke spoken, steal stole stolen, wear wore worn, drive drove driven, know knew known,
grow grew grown, build built, hold held, meet met, teach taught, think thought, catch caught, child children,
person people persons, man men, woman women, foot feet, tooth teeth, life lives, half halves, knife knives, shelf shelves,
complain complaint complaints, cheap cheaper cheapest, run ran running, use used using user users, bus buses, tie tied tying
"""
_SHORT_FOR = """
telephone phone, bicycle bike, photograph photo, refrigerator fridge, television tv, advertisement ad, aeroplane plane,
airplane plane, identification id, laboratory lab, examination exam, mathematics maths, percentage percent, kilometre km,
kilometer km
"""
_SUFFIXES = """
ations ation ments ment ances ance ences ence ities ity ings ing edly ed ers er ors or ably able ibly ible ives ive
ions ion ships ship als al fully ful nesses ness ly y
"""
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_MONTHS = "january february march april may june july august september october november december"

STOP_WORDS = frozenset(_STOP.split()) | frozenset(_STOP_ELSEWHERE.split())
WEAK_WORDS = frozenset(_WEAK.split())
IRREGULAR = {form: group.split()[0] for group in _IRREGULAR.split(",") for form in group.split()[1:]}
SHORT_FOR = {pair.split()[0]: pair.split()[1] for pair in _SHORT_FOR.split(",")}
SUFFIXES = _SUFFIXES.split()
NUMBER_WORDS, DAYS, MONTHS = _NUMBERS.split(), _DAYS.split(), _MONTHS.split()
