"""The sentences of the demo corpus: a seeded grammar of a small village, its people, animals, goods and weather."""

from __future__ import annotations

import random
from collections.abc import Iterator

WORDS = {
    "person": "ALICE ANNA ARTHUR BEN CLARA DANIEL EDITH EMMA FRANK GEORGE HELEN HENRY ISABEL JACK JULIA KEVIN LAURA "
    "LUCY MARTIN MARY NORA OLIVER OSCAR PETER RACHEL ROBERT RUTH SARAH SIMON THOMAS VICTOR WALTER",
    "role": "ARTIST BAKER BARBER BUTCHER CAPTAIN CARPENTER CLERK COOK DENTIST DOCTOR DRIVER FARMER FISHERMAN GARDENER "
    "GUARD HUNTER JUDGE LAWYER MAYOR MERCHANT MILLER MUSICIAN NEIGHBOR NURSE PAINTER PILOT POET PRIEST SAILOR SHEPHERD "
    "SOLDIER TAILOR TEACHER WAITER WEAVER WRITER",
    "relative": "AUNT BROTHER COUSIN DAUGHTER FATHER GRANDFATHER MOTHER NEPHEW SISTER SON UNCLE WIFE",
    "animal": "BEAR BULL CAT CHICKEN COW CROW DEER DOG DONKEY DUCK EAGLE FOX FROG GOAT GOOSE HORSE LAMB MOUSE OWL PIG "
    "PONY RABBIT SHEEP SQUIRREL SWAN TURTLE WOLF",
    "thing": "AXE BASKET BELL BLANKET BOAT BOOK BOTTLE BOWL BOX BRUSH BUCKET CANDLE CARPET CART CHAIR CLOCK COAT CUP "
    "DRUM FENCE FLUTE HAMMER HAT JACKET KETTLE KNIFE LADDER LAMP LANTERN LETTER MAP MIRROR NEEDLE PENCIL PICTURE "
    "PILLOW PLATE RING ROPE SADDLE SHIRT SHOVEL SPOON STOVE TABLE TENT UMBRELLA VIOLIN WAGON WATCH WHEEL WHISTLE "
    "WINDOW",
    "food": "APPLES BACON BARLEY BEANS BREAD BUTTER CABBAGE CAKE CARROTS CHEESE CHERRIES CORN CREAM FISH FLOUR GARLIC "
    "GRAPES HONEY LEMONS MEAT MILK MUSHROOMS NUTS OATS ONIONS PEACHES PEARS PEPPER POTATOES RICE SALT SOUP SUGAR TEA "
    "TOMATOES WATER WINE",
    "place": "BAKERY BARN BEACH BRIDGE CASTLE CELLAR CHAPEL CHURCH FACTORY FARM FIELD FOREST GARDEN GATE HARBOR HILL "
    "HOSPITAL HOTEL HOUSE ISLAND KITCHEN LAKE LIBRARY MARKET MEADOW MILL MOUNTAIN MUSEUM OFFICE ORCHARD PARK PRISON "
    "RIVER SCHOOL SHOP SQUARE STABLE STATION STREET THEATER TOWER TUNNEL VALLEY VILLAGE WELL",
    "quality": "ANCIENT BEAUTIFUL BROKEN CHEAP CLEAN DIRTY EMPTY EXPENSIVE FAMOUS HEAVY HUGE LITTLE LONG NARROW NEW "
    "OLD PLAIN PRETTY ROUND RUSTY SHARP SIMPLE SMALL STRANGE STRONG TINY UGLY USEFUL WONDERFUL WOODEN",
    "temper": "ANGRY BRAVE BUSY CALM CAREFUL CLEVER CURIOUS FRIENDLY GENTLE HAPPY HONEST HUNGRY LAZY LONELY LUCKY "
    "NERVOUS PATIENT POLITE PROUD QUIET SAD SHY SLEEPY THIRSTY TIRED WISE",
    "colour": "BLACK BLUE BROWN GOLDEN GREEN GREY ORANGE PINK PURPLE RED SILVER WHITE YELLOW",
    "handled": "BORROWED BOUGHT BROUGHT CARRIED CLEANED DROPPED FOUND GRABBED HID KEPT LIFTED LOST MENDED PAINTED "
    "PULLED PUSHED REPAIRED SOLD STOLE TOUCHED WANTED WASHED",
    "prepared": "ATE BOILED CHOPPED COOKED ORDERED SERVED SHARED TASTED WEIGHED",
    "met": "ASKED CALLED FOLLOWED HEARD HELPED INVITED MET PAID REMEMBERED THANKED VISITED WARNED WATCHED",
    "moved": "CAME CLIMBED DROVE HURRIED MARCHED RAN RODE RETURNED RUSHED TRAVELED WALKED WANDERED WENT",
    "creature_act": "DRANK HID JUMPED PLAYED RESTED SAT SLEPT STOOD WAITED",
    "habit": "DANCE FISH HUNT LAUGH LISTEN PAINT READ REST SING SLEEP STUDY SWIM TALK WORK WRITE",
    "give": "BRING BUY GIVE HAND LEND SELL SEND SHOW",
    "manner": "AGAIN ALONE BADLY CAREFULLY EARLY GLADLY LATE LOUDLY QUICKLY QUIETLY SECRETLY SLOWLY SUDDENLY TOGETHER",
    "day": "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY",
    "month": "JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER",
    "part_of_day": "MORNING AFTERNOON EVENING",
    "season": "SPRING SUMMER AUTUMN WINTER",
    "weather": "CLOUDY COLD COOL DARK DRY FOGGY FREEZING HOT RAINY SNOWY STORMY SUNNY WARM WET WINDY",
    "where": "ABOVE ACROSS AT BEHIND BELOW BESIDE IN INSIDE NEAR OUTSIDE UNDER",
    "towards": "ACROSS AROUND FROM INTO PAST THROUGH TO TOWARD",
    "small_number": "TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE TEN ELEVEN TWELVE",
    "teen": "THIRTEEN FOURTEEN FIFTEEN SIXTEEN SEVENTEEN EIGHTEEN NINETEEN",
    "tens": "TWENTY THIRTY FORTY FIFTY SIXTY SEVENTY EIGHTY NINETY",
    "digit": "ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE",
    "coins": "CENTS COINS CROWNS DOLLARS PENNIES POUNDS SHILLINGS",
    "span": "DAYS HOURS MILES MINUTES MONTHS WEEKS YEARS",
    "measure": "BAGS BARRELS BASKETS BOTTLES BOXES JARS PLATES POUNDS",
    "owner": "HER HIS MY OUR THEIR YOUR",
    "modal": "CAN CANNOT COULD MUST SHOULD WILL",
    "said": "BELIEVED FORGOT HOPED KNEW SAID THOUGHT",
}

# Each rule maps alternatives to weights. `<x>` is a rule or a word class; everything else is a word.
RULES = {
    "sentence": {
        "<who> <event>": 30,
        "<who> <event> <when>": 22,
        "<when> <who> <event>": 10,
        "<who> <said> THAT <who> <event>": 8,
        "THEY <event>": 3,
        "WE <event> <when>": 3,
        "DID <who> <plan>": 5,
        "WHO <event>": 4,
        "WHERE IS <object>": 4,
        "PLEASE <give> ME <object>": 4,
        "<give> <object> TO <whom>": 4,
        "<who> <modal> <plan>": 9,
        "<object> COSTS <number> <coins>": 6,
        "THERE ARE <number> <measure> OF <food> <spot>": 6,
        "IT WAS <weather> AND <weather> <spot>": 5,
        "THE <place> IS <number> <span> FROM THE <place>": 5,
        "<creature> <creature_act> <spot>": 10,
        "<creature> <moved> <towards> THE <place>": 6,
        "<who> HAS <number> <coins>": 4,
        "<who> WAS <temper> AND <temper>": 5,
        "<who> LIKES <colour> <food>": 2,
        "<owner> <relative> WAS BORN IN <month>": 3,
    },
    "who": {
        "<person>": 10,
        "THE <role>": 8,
        "THE <temper> <role>": 5,
        "<owner> <relative>": 4,
        "<owner> <temper> <relative>": 2,
        "SHE": 2,
        "HE": 2,
    },
    "whom": {
        "<person>": 10,
        "THE <role>": 8,
        "THE <temper> <role>": 4,
        "<owner> <relative>": 4,
        "HER": 1,
        "HIM": 1,
        "THEM": 1,
        "US": 1,
    },
    "event": {
        "<handled> <object>": 9,
        "<handled> <object> <spot>": 3,
        "<handled> <object> FOR <number> <coins>": 2,
        "<prepared> <meal>": 6,
        "<met> <whom>": 6,
        "<met> <whom> <spot>": 2,
        "<moved> <towards> THE <place>": 7,
        "<moved> <manner> <towards> THE <place>": 2,
        "WAITED <small_number> <span> FOR <whom>": 2,
        "<handled> <object> <manner>": 1,
    },
    "plan": {
        "<habit> <spot>": 5,
        "<habit> <manner>": 3,
        "<habit> <when>": 3,
        "<give> <object> TO <whom>": 3,
        "<give> <whom> <meal>": 2,
    },
    "object": {
        "THE <thing>": 5,
        "THE <quality> <thing>": 5,
        "A <quality> <thing>": 3,
        "<owner> <thing>": 3,
        "THE <colour> <thing>": 4,
        "A <colour> <thing>": 2,
        "<owner> <quality> <thing>": 2,
    },
    "meal": {
        "THE <food>": 4,
        "<food> AND <food>": 4,
        "SOME <food>": 3,
        "<number> <measure> OF <food>": 2,
        "<food> WITH <food>": 2,
    },
    "creature": {"THE <animal>": 4, "A <colour> <animal>": 2, "THE <temper> <animal>": 3, "<owner> <animal>": 3},
    "spot": {"<where> THE <place>": 8, "<where> THE <quality> <place>": 2, "<where> <owner> <place>": 1},
    "when": {
        "ON <day>": 4,
        "ON <day> <part_of_day>": 2,
        "IN THE <part_of_day>": 3,
        "IN <month>": 2,
        "LAST <season>": 1,
        "EVERY <part_of_day>": 1,
        "AT <small_number> <clock>": 3,
        "BEFORE <day>": 1,
        "YESTERDAY": 2,
        "AFTER LUNCH": 1,
        "DURING THE <season>": 1,
        "<small_number> <span> AGO": 1,
    },
    "clock": {"THIRTY": 2, "FIFTEEN": 1, "FORTY FIVE": 1, "IN THE <part_of_day>": 2},
    "number": {"<small_number>": 6, "<tens>": 2, "<tens> <digit>": 4, "<teen>": 2, "A HUNDRED": 1, "A THOUSAND": 1},
}


def vocabulary() -> list[str]:
    """All words that the grammar can produce, sorted."""
    words = {word for members in WORDS.values() for word in members.split()}
    for rule in RULES.values():
        words.update(symbol for right in rule for symbol in right.split() if not symbol.startswith("<"))
    return sorted(words)


class Grammar:
    """Draws sentences; within a class the words follow a Zipf-like law, so that an n-gram model has something to learn.

    :param seed: determines the sentences
    """

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self._rules = {name: (list(rule), list(rule.values())) for name, rule in RULES.items()}
        for name, members in WORDS.items():
            words = members.split()
            ranks = random.Random(name).sample(range(len(words)), len(words))
            self._rules[name] = (words, [(rank + 3) ** -0.9 for rank in ranks])

    def _expand(self, name: str) -> Iterator[str]:
        rights, weights = self._rules[name]
        for symbol in self._random.choices(rights, weights)[0].split():
            if symbol.startswith("<"):
                yield from self._expand(symbol[1:-1])
            else:
                yield symbol

    def sentence(self) -> str:
        """One sentence, upper case."""
        return " ".join(self._expand("sentence"))

    def distinct(self, seen: set[str]) -> Iterator[str]:
        """Yields sentences of 5 to 13 words that are not in ``seen``, without end, and adds them to it."""
        while True:
            sentence = self.sentence()
            if 5 <= len(sentence.split()) <= 13 and sentence not in seen:
                seen.add(sentence)
                yield sentence
